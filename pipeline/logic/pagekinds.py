"""Pages that are no article: paywalls, consent walls, challenges, logins, missing pages; told by their markup and words.

Each needs two kinds of evidence: a sign in markup or title, and that there is little text beside it. So an article about
cookies, paywalls or robots, with a consent banner and a login form in its frame, is an article.
"""

# ruff: noqa: E501 (a pattern of each language on a line of its own)

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.logic import pagenames, text

PROBLEMS = {
    "paywall": "the page shows only the beginning of the article and asks for a subscription",
    "consent": "the page asks for consent to cookies instead of showing the article",
    "challenge": "the site checks whether we are a browser instead of showing the article",
    "login": "the page asks for a login instead of showing the article",
    "not-found": "the site says that there is no such page, though it answered without an error",
}
"""What each kind means, as a sentence for people; the keys are outcome words."""

FULL = 1500  # characters of text that none of these pages has beside its own words
TEASER = 1200  # characters; a locked article shows less than this
LITTLE = 500
_LOOKED_AT = 6_000  # characters of the page's words
_MARKUP = 200_000  # characters of its source


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE)


_CHALLENGE_MARKUP = re.compile(
    r"cdn-cgi/challenge-platform|cf-browser-verification|cf_chl_|captcha-delivery\.com|_Incapsula_Resource|px-captcha|perimeterx"
    r"|awsWafCookie|ddos-guard|sucuri_cloudproxy|g-recaptcha|h-captcha|hcaptcha\.com|distil_r_captcha|kpsdk",
    re.IGNORECASE,
)
_CHALLENGE_WORDS = _any(
    r"just a moment|checking (?:if the site|your browser)|attention required|verify(?:ing)? (?:that )?you(?:'re| are) (?:a )?human"
    r"|are you a robot|(?:confirm|prove) (?:that )?you are (?:not a robot|human)|security check|please enable (?:javascript|js) and (?:disable|cookies)"
    r"|access (?:to this page has been )?denied|pardon our interruption|unusual traffic|one more step|ddos protection|bot verification",
    r"브라우저를? 확인|로봇이 아닙니다|보안 ?(?:확인|문자)|비정상적인 (?:접근|트래픽)|자동 ?입력 ?방지",
    r"проверка (?:браузера|безопасности)|проверяем (?:ваш )?браузер|подтвердите,? что вы не робот|вы не робот|доступ (?:к .{0,40})?(?:запрещ|ограничен)",
    r"перевірка (?:браузера|безпеки)|перевіряємо (?:ваш )?браузер|підтвердіть,? що ви не робот|ви не робот|доступ (?:до .{0,40})?(?:заборон|обмежен)",
    r"ブラウザを?(?:確認|チェック)|ロボットではありません|セキュリティ(?:チェック|確認)|アクセスが(?:拒否|制限)",
    r"(?:正在)?(?:检查|檢查|验证|驗證)您?的?(?:浏览器|瀏覽器)|安全(?:验证|驗證|检查|檢查)|(?:您|你)(?:是|不是)机器人|人机验证|访问(?:被拒绝|受限)",
    r"vérification de (?:votre|la) (?:navigateur|sécurité|connexion)|(?:êtes|n'êtes) (?:vous|pas) un robot|accès (?:refusé|interdit)|un instant",
)
_CONSENT_MARKUP = re.compile(
    r"onetrust|didomi|sourcepoint|sp_message|cookiebot|usercentrics|quantcast|trustarc|consentmanager|cookieyes|iubenda|tcfapi|axeptio"
    r"|cmpbox|qc-cmp|borlabs|klaro",
    re.IGNORECASE,
)
_CONSENT_TITLE = _any(
    r"before you continue|(?:we|your) (?:value )?(?:your )?privacy(?: choices| settings| matters)?|(?:cookie|privacy|gdpr) ?(?:consent|choices|settings|wall|notice)"
    r"|consent|we use cookies|manage your (?:privacy|cookies)",
    r"쿠키 (?:동의|설정|사용)|개인정보 (?:동의|설정)",
    r"(?:согласие на|использование|настройки) (?:использование |обработку )?(?:файлов )?(?:cookies?|куки)|мы используем (?:файлы )?(?:cookies?|куки)",
    r"(?:згода на|використання|налаштування) (?:використання |обробку )?(?:файлів )?(?:cookies?|кукі)|ми використовуємо (?:файли )?(?:cookies?|кукі)",
    r"(?:クッキー|cookie)(?:の)?(?:同意|設定|使用)|プライバシー(?:設定|の選択)",
    r"cookie ?(?:设置|設定|同意|偏好)|隐私(?:设置|选择)|隱私(?:設定|選擇)",
    r"(?:votre |le respect de votre )?vie privée|(?:gestion|paramètres|consentement) (?:des |aux |de vos )?cookies|nous utilisons des cookies",
)
_CONSENT_TERMS = re.compile(
    r"cookie|consent|privacy|partners|personal data|advertis|legitimate interest|vendors|쿠키|동의|개인정보|куки|согласи|конфиденциальн|персональн"
    r"|згод|конфіденційн|クッキー|同意|プライバシー|隐私|隱私|vie privée|consent|partenaires|données personnelles",
    re.IGNORECASE,
)
_LOGIN_TITLE = _any(
    r"(?:please )?(?:log|sign)[ -]?in(?: or (?:register|sign up|create an account))?(?: to (?:continue|your account).{0,30})?|member login|login required",
    r"로그인(?:이 필요합니다| 페이지|하기|하세요)?|회원 ?로그인",
    r"(?:вход|войти|авторизация|войдите)(?: (?:в|на) .{1,40})?|личный кабинет",
    r"(?:вхід|увійти|авторизація|увійдіть)(?: (?:до|в|на) .{1,40})?|особистий кабінет",
    r"ログイン(?:ページ|してください|が必要です)?|会員ログイン",
    r"(?:用户|用戶|会员|會員)?(?:登录|登錄|登入)(?:页面|頁面)?",
    r"(?:se )?connexion|se connecter|identification|connectez-vous.{0,40}|espace (?:abonné|membre)s?",
)
_MISSING_TITLE = _any(
    r"(?:error )?(?:404|410)(?: (?:error|not found|page not found))?.{0,3}|(?:404 ?[:—–|-] ?)?(?:oops!? )?(?:sorry,? )?(?:the |this |that )?(?:requested )?(?:page|article|story|content|url)"
    r" (?:(?:you (?:requested|are looking for) )?(?:was |is |could |can |cannot |can.?t )?(?:not |be |no longer )*(?:found|available|exists?)|(?:does|did) ?n[o']t exist|has (?:been removed|moved|expired)).{0,30}"
    r"|not found|nothing (?:was )?found|page missing",
    r".{0,12}(?:페이지|기사|게시물)(?:를|을|가)? ?(?:찾을 수 없|존재하지 않|없습니다|삭제되).{0,12}",
    r"(?:ошибка )?404.{0,20}|.{0,12}(?:страниц[аыу]|материал|статья|новость).{0,6}не (?:найден|существует|доступн).{0,6}|.{0,6}удален[ао]?",
    r"(?:помилка )?404.{0,20}|.{0,12}(?:сторінк[аиу]|матеріал|стаття|новина|новину).{0,6}не (?:знайден|існує|доступн).{0,6}|.{0,6}видален[ао]?",
    r".{0,16}(?:ページ|記事)(?:が|は)?(?:見つかりません|ありません|存在しません|削除され).{0,10}",
    r".{0,12}(?:页面|頁面|文章|网页|網頁)(?:不存在|未找到|找不到|已删除|已刪除|无法访问).{0,8}|找不到(?:页面|頁面|网页|網頁)|您访问的页面.{0,12}",
    r"(?:erreur )?404.{0,20}|(?:oups.{0,3} )?(?:cette |la )?page (?:non trouvée|introuvable|n['’]existe (?:pas|plus)|demandée .{0,30})|(?:cet )?article (?:introuvable|n['’]existe plus)",
)
_WALL_CLASS = re.compile(
    r"(?:^|[\s_-])(?:paywall|pay-wall|regwall|subscriber-?only|subscription-?wall|locked-?content|premium-?(?:wall|gate)|meter(?:ed)?-?(?:wall|gate)"
    r"|piano-?(?:offer|template|inline)|article-?(?:gate|locked))(?:$|[\s_-])",
    re.IGNORECASE,
)
_WALL_WORDS = _any(
    r"(?:to (?:continue|keep) reading|(?:continue|keep) reading (?:your article )?with|to read (?:the (?:full|rest)|this) (?:story|article))\b.{0,80}\b(?:subscri|sign up|log ?in|register|member|account)",
    r"(?:subscribe|sign up|register|become a member|join) (?:now )?(?:to (?:continue|keep|read)|for (?:full|unlimited) access)|already a (?:subscriber|member)\?|this (?:article|story|content) is (?:only |exclusively )?(?:for|available to) (?:our )?(?:subscribers|members)|subscriber[- ](?:only|exclusive)|unlock this (?:article|story)|you(?:'ve| have) (?:reached|read) (?:your|all|the) .{0,40}(?:limit|free articles)",
    r"(?:유료|구독자|회원) ?(?:전용|기사|콘텐츠|독자)|구독(?:하시면|하면|하고|후).{0,20}(?:전문|전체|계속)|(?:로그인|구독) ?(?:후|하시면).{0,20}(?:볼|읽을|이용)|기사 전문(?:은|을)",
    r"(?:материал|статья|текст|полн\w+ верси\w+).{0,30}(?:доступ\w+).{0,20}(?:подписчик|по подписке)|только для подписчиков|оформите подписку,? чтобы|чтобы (?:читать|прочитать|продолжить)\b.{0,40}подпи|уже подписаны\?",
    r"(?:матеріал|стаття|текст|повн\w+ версі\w+).{0,30}(?:доступ\w+).{0,20}(?:передплатник|за передплатою|підписник)|(?:лише|тільки) для (?:передплатників|підписників)|оформіть (?:передплату|підписку),? щоб|вже (?:передплатник|підписані)\?",
    r"(?:この記事は|続きは|残り).{0,20}(?:有料会員|会員限定|有料|会員登録|購読)|有料(?:会員)?(?:記事|限定)|(?:会員|ログイン).{0,10}(?:続きを|全文を)|残り\s?[\d,]+\s?文字",
    r"(?:本文|此文|阅读全文|閱讀全文|继续阅读|繼續閱讀|剩余|剩餘).{0,16}(?:付费|付費|订阅|訂閱|会员|會員|购买|登录)|(?:付费|付費|会员|會員|订户|訂戶)(?:专享|專享|专属|專屬|可见|文章|内容)|订阅后(?:阅读|查看)|已是(?:会员|订户)",
    r"(?:cet |l['’])?article (?:est )?(?:réservé|exclusif)\w* (?:aux|à nos) (?:abonné|membre)|réservé aux abonnés|(?:pour|la) (?:lire|poursuivre|continuer|suite).{0,40}(?:abonn|inscri)|déjà abonné|il (?:vous )?reste .{0,20}% (?:de|à)",
)


@dataclass(frozen=True)
class Signs:
    """What is seen on a whole page, before it is cleaned."""

    title: str
    words: str
    markup: str
    password: bool
    wall: bool


def signs(tree: Any, source: str, titles: Iterable[str], site: str | None, url: str) -> Signs:
    """`titles` are those that the page gives; the shortest without the site's name is looked at."""
    names = {pagenames.key(name) for name in (site or "", *pagenames.host_names(url)) if name}
    plain = [pagenames.without_site(title, names) for title in titles]
    body = next(tree.iter("body"), tree)
    pieces, length, wall = [], 0, False
    for element in body.iter():
        if not isinstance(element.tag, str) or element.tag in ("script", "style", "noscript", "template"):
            continue
        wall = wall or _WALL_CLASS.search(f"{element.get('class') or ''} {element.get('id') or ''}") is not None
        if length < 20 * _LOOKED_AT:
            for piece in (element.text, *(child.tail for child in element)):
                if piece and piece.strip():
                    pieces.append(piece)
                    length += len(piece)
    words = text.line(" ".join(pieces))
    return Signs(
        title=min((title for title in plain if title), key=len, default=""),
        words=words if len(words) <= 2 * _LOOKED_AT else words[:_LOOKED_AT] + " " + words[-_LOOKED_AT:],
        markup=source[:_MARKUP],
        password=any(_asks_for_password(field) for field in tree.iter("input")),
        wall=wall,
    )


def _asks_for_password(field: Any) -> bool:
    """A password's field that is not in the page's frame, where many articles have one."""
    if (field.get("type") or "").lower() != "password":
        return False
    return not any(
        part.tag in ("header", "nav", "footer", "aside", "dialog")
        or re.search(r"modal|popup|overlay|dropdown|header|menu|drawer", part.get("class") or "", re.IGNORECASE)
        for part in field.iterancestors()
    )


def without_wall(lines: Iterable[str]) -> list[str]:
    """The lines of a locked article without those that ask for a subscription."""
    return [line for line in lines if len(line) > 300 or not _WALL_WORDS.search(line)]


def kind(seen: Signs, lines: Iterable[str], free: bool | None, url: str) -> str | None:
    """What the page is, a key of PROBLEMS; None where it is an article. `lines` are what was taken for its text.

    `free` is what the page's JSON-LD says of isAccessibleForFree.
    """
    prose = " ".join(lines)
    if len(prose) >= FULL:
        return None
    title = seen.title[:160].strip(" .!|-—–")
    found = {
        "challenge": _is_challenge(seen, title),
        "not-found": len(title) < 80 and _MISSING_TITLE.fullmatch(title) is not None,
        "consent": _is_consent(seen, title, prose, url),
        "login": len(prose) < LITTLE
        and (_LOGIN_TITLE.fullmatch(title) is not None or (seen.password and len(prose) < LITTLE / 2)),
        "paywall": len(prose) < TEASER and _is_locked(seen, free, len(prose) < LITTLE),
    }
    return next((name for name, so in found.items() if so), None)


def _is_challenge(seen: Signs, title: str) -> bool:
    if len(seen.words) >= 2 * FULL:
        return False
    told = _CHALLENGE_WORDS.search(f"{title} {seen.words}") is not None
    return _begins(_CHALLENGE_WORDS, title) or (told and _CHALLENGE_MARKUP.search(seen.markup) is not None)


def _is_consent(seen: Signs, title: str, prose: str, url: str) -> bool:
    about = len(_CONSENT_TERMS.findall(prose or seen.words[:FULL]))
    if about < 3:
        return False
    on_its_host = re.match(r"(?:consent|guce|cmp|privacy)\.", urlsplit(url).hostname or "") is not None
    much = about * 60 > (len(prose) or FULL)  # several terms in every sentence
    return on_its_host or _begins(_CONSENT_TITLE, title) or (much and _CONSENT_MARKUP.search(seen.markup) is not None)


def _is_locked(seen: Signs, free: bool | None, little: bool) -> bool:
    """Two of: the page's data say that it is not free, a wall's markup or words, hardly any text."""
    told = _WALL_WORDS.search(seen.words) is not None
    return (free is False and (told or seen.wall or little)) or (told and (seen.wall or little))


def _begins(pattern: re.Pattern[str], title: str) -> bool:
    return len(title) < 80 and pattern.match(title) is not None
