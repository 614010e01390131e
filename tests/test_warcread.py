"""WARC files are read record by record, from any place on, past damage, in bounded memory."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warc_files import fillers, members, pieces, written
from warcio.archiveiterator import ArchiveIterator

from pipeline.adapters.warcread import Damage, Place, Record, Unreadable, records

CAP = 2**20


class Memory:
    """A file in memory."""

    def __init__(self, content: bytes, name: str = "test.warc.gz") -> None:
        self.name = name
        self._file = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int) -> None:
        self._file.seek(offset)


def responses(headers: dict[str, str], length: int) -> bool:
    return headers.get("warc-type") == "response"


def read(content: bytes, place: Place = Place(), name: str = "test.warc.gz") -> list[Record | Damage]:  # noqa: B008
    return list(records(Memory(content, name), place, responses, CAP))


def urls(found: list[Record | Damage]) -> list[str]:
    return [r.headers["warc-target-uri"] for r in found if isinstance(r, Record) and r.kind == "response" and r.whole]


PAGES = fillers(12)
PLAIN = written(PAGES, packed=False)
MEMBERS = b"".join(members(PAGES))
FORMS: dict[str, bytes] = {
    "one member a record": written(PAGES),
    "plain": PLAIN,
    "one member for all": gzip.compress(PLAIN),
    "several records a member": pieces(PLAIN, len(PLAIN) // 4),
    "small pieces": pieces(PLAIN, 700),
    "padded": b"".join(m + b"\0" * 9 for m in members(PAGES)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_record_comes_with_its_block(form: str) -> None:
    found = read(FORMS[form])
    assert not [r for r in found if isinstance(r, Damage)]
    assert urls(found) == [page.url for page in PAGES]
    blocks = [r.block for r in found if isinstance(r, Record) and r.kind == "response"]
    assert [block.partition(b"\r\n\r\n")[2] for block in blocks] == [page.body for page in PAGES]


def test_the_same_as_another_reader() -> None:
    content = FORMS["one member a record"]
    theirs = [
        (r.rec_headers.get_header("WARC-Record-ID"), r.rec_type, r.length) for r in ArchiveIterator(io.BytesIO(content))
    ]
    ours = [(r.headers["warc-record-id"], r.kind, r.length) for r in read(content) if isinstance(r, Record)]
    assert ours == theirs


@pytest.mark.parametrize("form", FORMS)
def test_read_on_from_behind_any_record(form: str) -> None:
    content = FORMS[form]
    everything = read(content)
    for at, record in enumerate(everything):
        rest = read(content, record.after)
        assert (
            [r.headers["warc-record-id"] for r in rest]
            == [  # type: ignore[union-attr]
                r.headers["warc-record-id"]  # type: ignore[union-attr]
                for r in everything[at + 1 :]
            ]
        )


def test_a_place_is_a_seek_where_the_file_allows_it() -> None:
    assert all(r.after.skip == 0 for form in ("one member a record", "plain", "padded") for r in read(FORMS[form]))


def flip(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def damaged(which: str) -> bytes:
    """Twelve records in members of their own; the fifth is damaged."""
    parts = members(PAGES)
    hurt: dict[str, Callable[[bytes], bytes]] = {
        "a flipped byte": lambda m: flip(m, len(m) // 2),
        "a broken check sum": lambda m: flip(m, len(m) - 6),
        "half a member": lambda m: m[: len(m) // 2],
        "rubbish": lambda m: b"\x1f\x8b\x08" + b"no such thing as a record" * 40,
        "zeros": lambda m: bytes(100_000) + b"x",
        "text": lambda m: b"this is not a member\n",
        "another file": lambda m: gzip.compress(b"hello, world\n" * 50),
        "no length": lambda m: gzip.compress(gzip.decompress(m).replace(b"Content-Length", b"Content-Longth")),
        "a bad length": lambda m: gzip.compress(gzip.decompress(m).replace(b"Content-Length: ", b"Content-Length: -")),
        "an endless header": lambda m: gzip.compress(b"WARC/1.0\r\n" + b"X: y\r\n" * 300_000),
        "a header without lines": lambda m: gzip.compress(b"WARC/1.0\r\n" + b"x" * 3_000_000),
        "nothing but a header": lambda m: gzip.compress(b"WARC/1.0\r\nWARC-Type: response\r\n"),
    }
    return b"".join(parts[:4]) + hurt[which](parts[4]) + b"".join(parts[5:])


@pytest.mark.parametrize(
    "which",
    [
        "a flipped byte",
        "a broken check sum",
        "half a member",
        "rubbish",
        "zeros",
        "text",
        "another file",
        "no length",
        "a bad length",
        "an endless header",
        "a header without lines",
        "nothing but a header",
    ],
)
def test_damage_costs_one_record(which: str) -> None:
    content = damaged(which)
    found = read(content)
    others = [page.url for page in PAGES[:4] + PAGES[5:]]
    assert urls(found) == others
    assert sum(isinstance(r, Damage) for r in found) == 1
    at = next(i for i, r in enumerate(found) if isinstance(r, Damage))
    assert urls(read(content, found[at].after)) == others[4:]


def test_a_record_that_says_too_much_or_too_little() -> None:
    """Its own block is cut or short, which the reader of records is told or its digest tells; the next is whole."""
    for said, whole in ((b"99999", False), (b"50", True)):
        parts = members(PAGES)
        plain = gzip.decompress(parts[4])
        length = plain.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]
        parts[4] = gzip.compress(plain.replace(b"Content-Length: " + length, b"Content-Length: " + said, 1))
        found = [r for r in read(b"".join(parts)) if isinstance(r, Record)]
        assert [r.headers["warc-target-uri"] for r in found] == [page.url for page in PAGES]
        assert [r.whole for r in found] == [True] * 4 + [whole] + [True] * 7


def test_damage_in_a_plain_file() -> None:
    content = PLAIN.replace(b"WARC/1.0\r\n", b"WARC/1.0\r\n", 1)
    begin = [at for at in range(len(content)) if content.startswith(b"WARC/1.0\r\n", at)]
    hurt = content[: begin[6]] + b"lost\r\nand\r\nfound " + content[begin[6] + 5 :]
    found = read(hurt, name="test.warc")
    assert len(urls(found)) == 11
    assert [type(r) for r in found].count(Damage) == 1


@pytest.mark.parametrize("form", ["one member a record", "plain", "one member for all"])
def test_a_file_that_was_cut_off(form: str) -> None:
    content = FORMS[form]
    for size in range(0, len(content), len(content) // 23 + 1):
        found = read(content[:size])
        complete = urls(found)
        assert complete == [page.url for page in PAGES][: len(complete)]
        assert sum(isinstance(r, Damage) or not r.whole for r in found) <= 1


@pytest.mark.parametrize("lost", [1, 8, 9])
def test_a_last_record_without_its_check_sum_is_not_trusted(lost: int) -> None:
    found = read(MEMBERS[:-lost])
    assert urls(found) == [page.url for page in PAGES[:-1]]
    assert len(found) == 12


def test_zstd_is_told_apart() -> None:
    with pytest.raises(Unreadable, match="zstd"):
        read(b"\x28\xb5\x2f\xfd" + bytes(50), name="test.warc.zst")


@pytest.mark.parametrize("packed", [True, False])
def test_a_large_record_is_not_held(packed: bool) -> None:
    size = 200 * 2**20
    head = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {size}\r\n\r\n".encode()

    class Large:
        """200 MB that are made while they are read, and a record behind."""

        name = "large.warc.gz" if packed else "large.warc"

        def __init__(self) -> None:
            self.seek(0)

        def _plain(self) -> bytes:
            if self.left == size:
                self.left -= 1
                return head + b"x"
            if self.left > 0:
                step = min(self.left, 65_536)
                self.left -= step
                return b"x" * step
            if self.left == 0:
                self.left = -1
                return b"\r\n\r\n"
            return b""

        def seek(self, offset: int) -> None:
            assert offset == 0
            self.left, self.ready, self.ended = size, b"", False
            import zlib

            self.pack = zlib.compressobj(1, wbits=31)

        def read(self, count: int) -> bytes:
            while len(self.ready) < count and not self.ended:
                piece = self._plain()
                self.ended = not piece
                if not packed:
                    self.ready += piece
                else:
                    self.ready += self.pack.compress(piece) if piece else self.pack.flush()
                if self.ended:
                    self.ready += members(PAGES[:1])[0] if packed else PLAIN[: PLAIN.index(b"WARC/1.0", 9)]
            piece, self.ready = self.ready[:count], self.ready[count:]
            return piece

    tracemalloc.start()
    found = list(records(Large(), Place(), responses, CAP))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert next((r.whole, len(r.block)) for r in found if isinstance(r, Record)) == (True, CAP)
    assert len(found) == 2
    assert peak < 8 * CAP


@given(at=st.integers(0), value=st.integers(1, 255), size=st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_a_wrong_byte_anywhere_costs_one_record_at_most(at: int, value: int, size: int) -> None:
    content = bytearray(MEMBERS)
    at %= len(content)
    content[at : at + 1] = bytes([content[at] ^ value]) * (1 if size == 0 else size)
    found = read(bytes(content))
    assert set(urls(found)) <= {page.url for page in PAGES}
    assert len(urls(found)) >= 11
    bodies = {page.url: page.body for page in PAGES}
    for record in found:
        if isinstance(record, Record) and record.whole and record.kind == "response":
            assert record.block.endswith(bodies[record.headers["warc-target-uri"]])
