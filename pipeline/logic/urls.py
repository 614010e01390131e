"""The identity of a web address: one spelling for each page, so that an article is stored once."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urljoin, urlsplit

from pipeline.logic.wrappers import wrapped

MAX_LENGTH = 2000  # characters; longer ones are traps more often than articles

# Query parameters that say where a reader came from and never what is shown. Lists of others (AdGuard, ClearURLs,
# courlan) were looked through for names that can't be anything else; patterns that also hit `uid` or `source` were not.
_TRACKING_PREFIXES = (
    "utm_", "at_", "hsa_", "mtm_", "itm_", "pk_", "piwik_", "matomo_", "ns_", "_hs", "__hs", "oly_", "vero_", "guce_",
    "mkt_", "ga_", "ml_subscriber", "dicbo", "gad_", "stm_", "trk_", "wt_",
)  # fmt: skip
_TRACKING_NAMES = (
    # advertising and social networks
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid _openstat igshid igsh twclid ttclid "
    "li_fat_id epik srsltid __twitter_impression ref_src ref_url clickid wbraid _ga _gl gs_l fb_action_ids fb_source "
    "fb_ref share_id sharetype __tn__ si_source "
    # mailing programs, audience measurement
    "mc_cid mc_eid mkt_tok hsctatracking wickedid _ke s_cid cmpid icid ito xtor smid ocid guccounter "
    # publishers' own marks: Guardian, Reuters, Deutsche Welle, Financial Times, New York Times
    "cmp feedtype feedname maca ftcamp emc "
    # a page in another dress
    "outputtype=amp __amp_source_origin amp_js_v usqp amp_gsa"
)
_TRACKING = frozenset(_TRACKING_NAMES.split())
# Names that mean something else elsewhere, and say where a reader came from with these values.
_FROM_NAMES = frozenset(
    {"ref", "source", "src", "from", "via", "partner", "traffic_source", "traffic-source", "mod", "rss", "origin"}
)
_FROM_VALUES = re.compile(
    r"(?:rss|atom|feed|feeds|rssfeed|rss-feed|rss_feed|feedburner|twitter|facebook|fb|telegram|whatsapp|linkedin|reddit|"
    r"newsletter|e?mail|googlenews|google-news|gnews|share|social|yes|1|true|rss_[a-z0-9_-]*)",
    re.IGNORECASE,
)
_PLAIN_VALUES = frozenset({"yes", "1", "true"})  # of a parameter called rss alone

# Hosts known to answer the same path under their main name. Others stay: many "m." sites number their pages
# anew, and a page's own canonical link settles it better than a guess.
_SAME_PATH = ((re.compile(r"^([a-z-]+)\.m\.wikipedia\.org$"), r"\1.wikipedia.org"),)
_SAME_PATH_HOSTS = {
    "amp.theguardian.com": "www.theguardian.com",
    "amp.dw.com": "www.dw.com",
    "amp.france24.com": "www.france24.com",
    "amp.rfi.fr": "www.rfi.fr",
    "amp.scmp.com": "www.scmp.com",
    "amp.smh.com.au": "www.smh.com.au",
    "amp.abc.net.au": "www.abc.net.au",
    "m.yna.co.kr": "www.yna.co.kr",
    "m.hani.co.kr": "www.hani.co.kr",
    "m.koreaherald.com": "www.koreaherald.com",
    "m.lenta.ru": "lenta.ru",
    "m.ria.ru": "ria.ru",
    "m.dw.com": "www.dw.com",
    "mobile.nytimes.com": "www.nytimes.com",
    "mobile.reuters.com": "www.reuters.com",
}

_ASCII_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_KEPT_PATH = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:@/]")
_KEPT_QUERY = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:@/?]")
_ALL_KEPT = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=:@/?]*")
_UNRESERVED = re.compile(rb"[A-Za-z0-9\-._~]")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_AMP_FILE = re.compile(r"(.+)\.amp(\.html?)?")
_PREFIXES = ("www.", "m.", "amp.", "mobile.")


def canonical(url: str, base: str | None = None) -> str | None:
    """The one spelling of an http(s) address, or None where it is none, carries credentials or is too long.

    Idempotent. Host in lower case and ASCII (IDNA), no default port, fragment, tracking parameter, dot
    segment or empty query; the remaining parameters keep their order. An AMP cache's or redirector's address is
    that of the page which it names.
    """
    spelled = _spelled(url, base)
    while spelled and (inner := wrapped(urlsplit(spelled))) and (meant := _spelled(inner, None)):
        spelled = meant
    return spelled


def _spelled(url: str, base: str | None) -> str | None:
    try:
        parts = _split(url, base)
        netloc = _netloc(parts) if parts else None
    except ValueError:  # a port out of range, a broken IPv6 address, a host that IDNA refuses
        return None
    if parts is None or netloc is None:
        return None
    path = _path(parts.path)
    query = _query(parts.query)
    result = f"{parts.scheme}://{netloc}{path}{'?' + query if query else ''}"
    return result if len(result) <= MAX_LENGTH else None


def host(url: str) -> str:
    """The host of an address in lower case, without port; "" where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def site(url: str) -> str:
    """The registrable domain of an address (example.co.uk of www.example.co.uk), "" where there is none."""
    return _site(host(url))


def same_site(a: str, b: str) -> bool:
    """Whether both addresses belong to one registrable domain (www.example.co.uk and news.example.co.uk)."""
    one, other = _site(host(a)), _site(host(b))
    return bool(one) and one == other


def _site(name: str) -> str:
    from courlan import extract_domain

    if not name:
        return ""
    if re.fullmatch(r"[\d.]+", name) or ":" in name:
        return name
    known = extract_domain(f"http://{name}/")
    if known:
        return str(known)
    for prefix in _PREFIXES:  # a name without a public suffix, as in an intranet or a test
        name = name.removeprefix(prefix)
    return name


def _split(url: str, base: str | None) -> SplitResult | None:
    url = re.sub(r"^[\x00-\x20\xa0\u3000]+|[\x00-\x20\xa0\u3000]+$|[\t\r\n]", "", url)
    if len(url) > 4 * MAX_LENGTH or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", url):
        return None
    if base is not None:
        url = urljoin(base, url)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return parts


def _netloc(parts: SplitResult) -> str | None:
    name = (parts.hostname or "").lower()
    if ":" in name:
        import ipaddress

        name = f"[{ipaddress.IPv6Address(name).compressed}]"
    else:
        if not name.isascii():
            import idna

            try:
                name = idna.encode(name, uts46=True).decode("ascii")
            except idna.IDNAError:
                return None
        name = name.rstrip(".")
        if not _ASCII_HOST.fullmatch(name) or ".." in name or len(name) > 253:
            return None
        name = _SAME_PATH_HOSTS.get(name, name)
        for pattern, replacement in _SAME_PATH:
            name = pattern.sub(replacement, name)
    port = parts.port
    default = 443 if parts.scheme == "https" else 80
    return name if port is None or port == default else f"{name}:{port}"


def _escape(text: str, kept: re.Pattern[bytes]) -> str:
    """Percent-encoding in its one normal form: needed escapes in upper case, no others."""
    raw, out, at = text.encode(), bytearray(), 0
    if _ALL_KEPT.fullmatch(raw) and (kept is _KEPT_QUERY or b"?" not in raw):  # most addresses
        return text
    while at < len(raw):
        if _ESCAPE.match(raw, at):
            byte = bytes([int(raw[at + 1 : at + 3], 16)])
            out += byte if _UNRESERVED.match(byte) else raw[at : at + 3].upper()
            at += 3
            continue
        byte = raw[at : at + 1]
        out += byte if kept.match(byte) else b"%%%02X" % byte[0]
        at += 1
    return out.decode("ascii")


def _path(path: str) -> str:
    segments: list[str] = []
    pieces = _escape(path.replace("\\", "/"), _KEPT_PATH).split("/")[1:] or [""]
    for index, piece in enumerate(pieces):
        last = index == len(pieces) - 1
        if piece in (".", ".."):
            if piece == ".." and segments:
                segments.pop()
            if last:
                segments.append("")
        else:
            segments.append(piece)
    # The AMP twin of an article: /2024/10/troops/amp/ is /2024/10/troops/. A site's own /amp stays.
    while len(segments) > 2 and segments[-1] == "" and segments[-2] == "amp":
        del segments[-2]
    while len(segments) > 1 and segments[-1] == "amp":
        segments.pop()
    while segments and (twin := _AMP_FILE.fullmatch(segments[-1])):  # troops.amp.html, troops.amp
        segments[-1] = twin.group(1) + (twin.group(2) or "")
    return "/" + "/".join(segments)


def _query(query: str) -> str:
    return "&".join(pair for pair in _escape(query, _KEPT_QUERY).split("&") if pair and not _is_tracking(pair))


def _is_tracking(pair: str) -> bool:
    name, _, value = pair.partition("=")
    name, value = name.lower(), value.lower()
    if name in _TRACKING or name.startswith(_TRACKING_PREFIXES) or f"{name}={value}" in _TRACKING:
        return True
    if name == "amp":
        return value in ("", "1", "true")
    if name not in _FROM_NAMES or not _FROM_VALUES.fullmatch(value):
        return False
    return name == "rss" if value in _PLAIN_VALUES else not value.startswith("rss_") or name == "mod"


def is_front_page(url: str) -> bool:
    """Whether an address names a whole site: what dead links are sent to, and what careless pages call canonical."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path in ("", "/", "/index.html", "/index.php") and not parts.query
