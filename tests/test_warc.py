"""The archive's files: what is in them, what a kill leaves, who may write where. No database."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from warcio.archiveiterator import ArchiveIterator

from pipeline.adapters import warc_files
from pipeline.adapters.warc import Archive, Original, Place, RecordDamaged, RecordMissing, files
from pipeline.adapters.warc_files import ArchiveUnavailable
from pipeline.model import Exchange, Response
from pipeline.settings import ArchiveSettings

NOW = datetime(2024, 12, 20, 22, 0, 1, 250_000, tzinfo=UTC)
URL = "https://paper.example/2024/a?b=%C3%A9"


def answer(body: bytes = b"<html>hello</html>", status: int = 200, **headers: str) -> Response:
    given = {"content-type": "text/html", "content-encoding": "br", "content-length": "9", **headers}
    exchange = Exchange(
        at=NOW,
        method="GET",
        target="/2024/a?b=%C3%A9",
        request_headers=(("Host", "paper.example"), ("User-Agent", "claimwatch/test")),
        protocol="HTTP/2",
        status=status,
        reason="",
        response_headers=(*given.items(), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-odd", "caf\xe9\r\nX: y")),
        address="192.0.2.7",
    )
    return Response(status, URL, body, given, exchange=exchange)


def digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def keep(archive: Archive, body: bytes, now: datetime = NOW) -> Place:
    return archive.response(answer(body), NOW, now, digest=digest(body))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", ArchiveSettings())


def records(path: Path) -> list[tuple[str, dict[str, str], Any, bytes]]:
    with path.open("rb") as stream:
        return [
            (r.rec_type, dict(r.rec_headers.headers), r.http_headers, r.raw_stream.read())
            for r in ArchiveIterator(stream, check_digests="raise")
        ]


def check(*paths: Path) -> subprocess.CompletedProcess[str]:
    """warcio's own opinion."""
    command = [sys.executable, "-m", "warcio.cli", "check", "-v", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_is_in_a_file(archive: Archive) -> None:
    body = "<p>été</p>".encode()
    place = keep(archive, body)
    original = Original(URL, NOW, digest(body))
    archive.revisit(answer(body), NOW, NOW, original=original)
    archive.revisit(answer(b"", 304), NOW, NOW, original=original)
    archive.revisit(answer(b"", 304), NOW, NOW, original=None)
    archive.resource("http://old.example/", b"old", None, NOW, NOW)
    (path,) = files(archive.folder)
    assert path.parent.name == "2024-12-20"
    assert place.file == f"2024-12-20/{path.name}"
    found = records(path)
    pair = ["response", "request"]
    assert [kind for kind, *_ in found] == ["warcinfo", *pair, *["revisit", "request"] * 3, "resource"]
    _, response, http, content = found[1]
    assert content == body
    assert response["WARC-Date"] == "2024-12-20T22:00:01.250000Z"
    assert response["WARC-IP-Address"] == "192.0.2.7"
    assert response["WARC-Target-URI"] == URL
    assert response["WARC-Payload-Digest"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert response["WARC-Block-Digest"].startswith("sha256:")
    assert http.get_statuscode() == "200"
    assert http.get_header("X-Crawler-content-encoding") == "br"
    assert http.get_header("Content-Length") == str(len(body))
    assert [value for name, value in http.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert http.get_header("X") is None, "a header's value began a line of its own"
    _, request, sent, _ = found[2]
    assert request["WARC-Concurrent-To"] == response["WARC-Record-ID"]
    assert (sent.protocol, sent.statusline) == ("GET", "/2024/a?b=%C3%A9 HTTP/1.1")
    same, unmodified, unknown = (found[n][1] for n in (3, 5, 7))
    assert same["WARC-Profile"].endswith("/1.1/revisit/identical-payload-digest")
    assert same["WARC-Payload-Digest"] == response["WARC-Payload-Digest"]
    assert unmodified["WARC-Profile"].endswith("/1.1/revisit/server-not-modified")
    for revisit in (same, unmodified):
        assert revisit["WARC-Refers-To-Target-URI"] == URL
        assert revisit["WARC-Refers-To-Date"] == response["WARC-Date"]
    assert "WARC-Refers-To-Date" not in unknown
    assert found[9][3] == b"old"
    done = check(path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("digest pass") >= 2


def test_a_record_is_read_from_its_place_alone(archive: Archive) -> None:
    places = [keep(archive, b"body %d" % n) for n in range(5)]
    for n, place in enumerate(places):
        assert archive.body(place, digest(b"body %d" % n)) == b"body %d" % n
    assert archive.raw(places[2]).startswith(b"WARC/1.1\r\n")
    with pytest.raises(RecordDamaged, match="another digest"):
        archive.body(places[0], digest(b"body 1"))


def test_an_empty_body_and_a_large_one(archive: Archive) -> None:
    for body in (b"", os.urandom(3_000_000)):
        assert archive.body(keep(archive, body), digest(body)) == body


@pytest.mark.parametrize("where", ["head", "body", "end"])
def test_a_flipped_byte_is_found(where: str, archive: Archive) -> None:
    body = os.urandom(5000)
    place = keep(archive, body)
    at = place.offset + {"head": 40, "body": place.length // 2, "end": place.length - 6}[where]
    path = archive.folder / place.file
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    with pytest.raises(RecordDamaged):
        archive.check(place, digest(body))


def test_what_is_not_there(archive: Archive) -> None:
    place = keep(archive, b"x")
    with pytest.raises(RecordMissing, match="ends before"):
        archive.body(Place(place.file, place.offset, 10_000), digest(b"x"))
    with pytest.raises(RecordMissing, match="not in the archive"):
        archive.body(Place("2024-12-20/other.warc.gz", 0, 10), digest(b"x"))
    (archive.folder / place.file).unlink()
    (archive.folder / "2024-12-20").rmdir()
    archive.folder.rmdir()
    with pytest.raises(ArchiveUnavailable, match="there is no archive"):  # not mounted: nothing is lost
        archive.body(place, digest(b"x"))


def test_rotation_by_size_and_day(tmp_path: Path) -> None:
    archive = Archive(tmp_path, ArchiveSettings(max_size=2**20))
    body = os.urandom(300_000)
    for _ in range(8):
        keep(archive, body)
    keep(archive, body, NOW.replace(day=21))
    days = [path.parent.name for path in files(tmp_path)]
    assert days == ["2024-12-20"] * 2 + ["2024-12-21"]
    assert all(path.stat().st_size < 2**20 + 400_000 for path in files(tmp_path))
    assert check(*files(tmp_path)).returncode == 0


def test_a_file_is_taken_up_again_but_by_one_process_at_a_time(tmp_path: Path) -> None:
    first, second = (Archive(tmp_path, ArchiveSettings()) for _ in range(2))
    assert keep(first, b"a").file != keep(second, b"b").file
    first.close()
    third = Archive(tmp_path, ArchiveSettings())
    keep(third, b"c")
    assert len(files(tmp_path)) == 2
    assert check(*files(tmp_path)).returncode == 0


def test_a_fork_writes_to_a_file_of_its_own(archive: Archive) -> None:
    before = keep(archive, b"parent")
    child = os.fork()
    if child == 0:
        place = keep(archive, b"child")
        os._exit(0 if place.file != before.file else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert keep(archive, b"parent again").file == before.file
    assert check(*files(archive.folder)).returncode == 0


@pytest.mark.parametrize("left", [1, 3, 12, 60, 5000])
def test_a_record_cut_by_a_kill(left: int, archive: Archive) -> None:
    """Readable up to the last whole record; whoever takes the file next cuts the rest away and goes on."""
    body = os.urandom(20_000)
    whole, cut = keep(archive, b"whole"), keep(archive, body)
    archive.close()
    path = archive.folder / cut.file
    with path.open("r+b") as stream:
        stream.truncate(cut.offset + left)
    assert archive.body(whole, digest(b"whole")) == b"whole"
    with path.open("rb") as stream:
        stream_records = [record.rec_type for record in islice(ArchiveIterator(stream), 3)]
    assert stream_records == ["warcinfo", "response", "request"]
    place = keep(Archive(archive.folder, ArchiveSettings()), b"after")
    assert (place.file, place.offset) == (cut.file, cut.offset)
    assert check(path).returncode == 0


@pytest.mark.parametrize("harm", ["a flipped byte", "zeros", "nothing at all"])
def test_a_damaged_end_is_left_alone(harm: str, archive: Archive) -> None:
    """It may be a record that a row points to; new ones go elsewhere."""
    place = keep(archive, os.urandom(20_000))
    archive.close()
    path = archive.folder / place.file
    raw = path.read_bytes()
    flipped = raw[: place.offset + 9000] + bytes([raw[place.offset + 9000] ^ 255]) + raw[place.offset + 9001 :]
    # The request record is the last one: without it the damaged record is.
    flipped = flipped[: place.offset + place.length]
    harmed = {"a flipped byte": flipped, "zeros": raw + bytes(4096), "nothing at all": b""}[harm]
    path.write_bytes(harmed)
    other = keep(Archive(archive.folder, ArchiveSettings()), b"after")
    assert other.file != place.file
    assert path.read_bytes() == harmed


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from test_warc import NOW, answer, digest
from pipeline.adapters import warc_files
from pipeline.adapters.warc import Archive
from pipeline.settings import ArchiveSettings

archive, written = Archive(Path(sys.argv[1]), ArchiveSettings()), 0
real = os.pwrite

def torn(handle, data, offset):
    global written
    written += 1
    if written == 6:
        real(handle, data[: len(data) // 2], offset)
        os.kill(os.getpid(), signal.SIGKILL)
    return real(handle, data, offset)

os.pwrite = torn
for n in range(100):
    body = os.urandom(50_000)
    place = archive.response(answer(body), NOW, NOW, digest=digest(body))
    print(place.file, place.offset, place.length, digest(body).hex(), flush=True)
"""


def test_killed_within_a_record(archive: Archive) -> None:
    command = [sys.executable, "-c", KILLED, str(archive.folder)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    assert len(told) == 4  # the first write is the file's head
    for file, offset, length, expected in told:
        archive.check(Place(file, int(offset), int(length)), bytes.fromhex(expected))
    assert keep(archive, b"after").file == told[0][0]
    assert check(*files(archive.folder)).returncode == 0


WRITING = """
import os, sys
from pathlib import Path
from test_warc import NOW, answer, digest
from pipeline.adapters.warc import Archive
from pipeline.settings import ArchiveSettings

archive = Archive(Path(sys.argv[1]), ArchiveSettings(max_size=2**20))
print("ready", flush=True)
sys.stdin.readline()
for n in range(60):
    body = os.urandom(40_000)
    place = archive.response(answer(body), NOW, NOW, digest=digest(body))
    print(place.file, place.offset, place.length, digest(body).hex(), flush=True)
"""


def test_three_processes_at_once(archive: Archive) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "-c", WRITING, str(archive.folder)]
    pipe = subprocess.PIPE
    writers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) for _ in range(3)]
    for process in writers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in writers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [line.split() for process in writers for line in process.communicate(timeout=60)[0].splitlines()]
    assert len(told) == 180
    for file, offset, length, expected in told:
        archive.check(Place(file, int(offset), int(length)), bytes.fromhex(expected))
    assert check(*files(archive.folder)).returncode == 0
    assert sum(len(records(path)) for path in files(archive.folder)) == 2 * 180 + len(files(archive.folder))


def test_a_full_disk(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keep(archive, b"before")
    size = (archive.folder / before.file).stat().st_size
    real = os.pwrite

    def full(handle: int, data: Any, offset: int) -> int:
        if len(data) > 1000:
            return real(handle, data[:1000], offset)  # as much as there is room for
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(warc_files.os, "pwrite", full)
    with pytest.raises(ArchiveUnavailable, match="No space left on device; make room"):
        keep(archive, os.urandom(5000))
    assert (archive.folder / before.file).stat().st_size == size
    monkeypatch.undo()
    keep(archive, b"after")
    assert check(archive.folder / before.file).returncode == 0


def test_too_little_room_is_seen_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnavailable, match=r"less than archive\.min_free"):
        Archive(tmp_path, ArchiveSettings(min_free=2**60)).ready()
    Archive(tmp_path, ArchiveSettings(min_free=0)).ready()
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(ArchiveUnavailable, match=r"see archive\.folder"):
        Archive(blocked, ArchiveSettings()).ready()


def test_a_record_is_copied_byte_for_byte(archive: Archive) -> None:
    place = keep(archive, b"proof")
    kept = archive.keep(place, NOW)
    assert kept.file.startswith("kept/")
    (archive.folder / place.file).unlink()
    assert archive.body(kept, digest(b"proof")) == b"proof"
    assert keep(archive, b"more").file != place.file, "a file that was deleted is not written to"
    assert check(*files(archive.folder)).returncode == 0
