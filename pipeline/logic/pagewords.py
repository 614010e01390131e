"""Words that pages put around their articles, in en, ko, ru, uk, ja, zh and fr: each a regular expression, no case."""

# ruff: noqa: E501 (a pattern of each language on a line of its own)

from __future__ import annotations

import re


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE)


# A line that begins so and has no full sentence after it points elsewhere.
MORE = _any(
    r"(?:related|see also|see more|read (?:more|next|also|full story)|also read|also|more|more on this|don[’']t miss|must read"
    r"|recommended|further reading|watch|listen|live|trending|up next|explore further|most read|in pictures|opinion"
    r"|related (?:articles?|stories|content|coverage|topics?|links?))\s*[:|»›>\-–—]",
    r"also on [\w.]+\.\w+\b",
    r"(?:관련\s?기사|관련\s?뉴스|더\s?보기|더\s?읽기|함께\s?보면|주요\s?뉴스|많이\s?본\s?뉴스|추천\s?기사|인기\s?기사)\s*[:|▶>\-]?",
    r"▶|☞|\[(?:관련|추천|주요|이 시각)\s?(?:기사|뉴스)?\]",
    r"(?:читайте|смотрите|слушайте|см\.)\s+(?:также|ещё|еще|далее)\b|(?:по теме|материалы по теме|подробнее|главное)\s*:",
    r"(?:читайте|дивіться|слухайте)\s+(?:також|ще|далі)\b|(?:до теми|за темою|матеріали за темою|детальніше)\s*:",
    r"【?(?:関連記事|関連ニュース|あわせて読みたい|続きを読む|おすすめ記事|こちらも読む)】?",
    r"[【\[]?(?:相关阅读|相关新闻|延伸阅读|相關閱讀|相關新聞|延伸閱讀|推荐阅读|更多新闻|点击查看)[】\]]?",
    r"(?:à lire aussi|lire aussi|à lire également|voir aussi|lire la suite|sur le même sujet|notre dossier)\b",
)
# The whole line is such a heading: what is linked below it goes, too.
HEADING = _any(
    r"(?:related|see also|read next|don[’']t miss|must read|recommended|trending|top stories|most read|explore further"
    r"|more (?:stories|news|coverage|from .{1,30}|on this (?:story|topic))|related (?:articles?|stories|content|topics?|links?)"
    r"|something to consider|latest news|you (?:may|might) also like|(?:story )?topics|tags|comments?|\d+ comments?|share|advertisement|ad"
    r"|sponsored|popular now|what to read next|editors[’'] picks)\s*:?",
    r"관련\s?기사|관련\s?뉴스|주요\s?뉴스|많이\s?본\s?(?:뉴스|기사)|추천\s?기사|인기\s?기사|댓글\s?\d*|공유하기|광고|태그",
    r"(?:читайте также|материалы по теме|по теме|комментарии|реклама|теги|поделиться|новости партнеров)\s*:?",
    r"(?:читайте також|матеріали за темою|за темою|коментарі|реклама|теги|поділитися|новини партнерів)\s*:?",
    r"関連記事|関連ニュース|あわせて読みたい|おすすめ記事|コメント|広告|タグ|シェア|人気記事",
    r"相关阅读|相关新闻|延伸阅读|推荐阅读|评论|广告|分享|标签|相關閱讀|相關新聞|延伸閱讀|評論|廣告|熱門新聞|热门新闻",
    r"(?:à lire aussi|lire aussi|voir aussi|sur le même sujet|commentaires?|publicité|partager|mots-clés|les plus lus)\s*:?",
)
# A line that asks the reader to do something for the site; as long as a line of news at most.
PROMPT = _any(
    r"(?:please )?(?:click|tap) (?:here|on|below)\b.{0,80}\b(?:subscribe|sign up|download|get|app|newsletter|more)",
    r"(?:click|tap) here\b",
    r"(?:sign up|subscribe|join us|join our)\b.{0,80}\b(?:newsletters?|channel|daily|inbox|alerts?|telegram"
    r"|whatsapp|youtube|podcast|e-?mails?|updates)\b",
    r"(?:get|receive)\b.{0,120}\b(?:delivered|in(?:to)? your inbox|newsletter|on the go|quiz: instant download)",
    r"(?:start|begin) your (?:day|morning) with\b.{0,160}\b(?:newsletter|sign up|powered by)",
    r"there[’']s (?:plenty )?more where that came from",
    r"follow (?:us|me|@\w+|the author|our)\b|follow .{0,60}\bon (?:facebook|twitter|x|instagram|telegram|linkedin|youtube)\b",
    r"follow .{0,30}full coverage\b",
    r"(?:like|share|enjoy(?:ed)?) (?:this|the) (?:story|article|post|page)\b.{0,60}$|if you (?:enjoyed|liked) (?:this|the)",
    r"(?:share|tweet|pin|e-?mail|print|copy link|whatsapp|telegram|facebook|twitter|linkedin|reddit)(?:\s*[|·,/]?\s*(?:share|tweet|pin"
    r"|e-?mail|print|save|copy link|whatsapp|telegram|facebook|twitter|linkedin|reddit|on|this|article))*[\s:|]*$",
    r"download (?:the|our)\b.{0,40}\bapp\b|tell us what you think|leave a (?:comment|reply)|join the (?:conversation|discussion)",
    r"if you (?:buy|purchase) something through|.{0,20}(?:may|might) (?:earn|get) (?:a|an) (?:share|affiliate|commission)",
    r"(?:we use cookies|this (?:site|website) uses cookies|by (?:continuing|using) (?:to|this)\b.{0,60}cookies)",
    r"(?:send|got) (?:us )?(?:a )?(?:tips?|news)\b.{0,60}(?:@|e-?mail|contact)|filed under\b|\w+ is committed to publishing",
    r"(?:[\w ]{1,30}) is committed to publishing a diversity of letters",
    r"(?:카카오톡|텔레그램|페이스북|네이버|유튜브|뉴스레터).{0,40}(?:구독|팔로우|추가|친구|채널|제보)|구독(?:하기|신청)|기사\s?제보",
    r"(?:подписывайтесь|подпишитесь|подписаться|присоединяйтесь)\b.{0,80}|(?:наш|в нашем) (?:телеграм|telegram)",
    r"(?:підписуйтесь|підписуйтеся|підпишіться|підписатися|долучайтеся)\b.{0,80}|(?:наш|у нашому) (?:телеграм|telegram)",
    r"(?:メールマガジン|ニュースレター|メルマガ|公式.{0,10}(?:LINE|X|Twitter)).{0,30}(?:登録|購読|フォロー)|会員登録",
    r"(?:欢迎|請|请)?(?:关注|關注|订阅|訂閱|扫描|下载|下載).{0,20}(?:公众号|微信|微博|客户端|APP|newsletter|二维码|频道|頻道)",
    r"(?:abonnez-vous|inscrivez-vous|recevez|suivez-nous|suivez)\b.{0,80}\b(?:newsletter|boîte mail|whatsapp|facebook|telegram|chaîne"
    r"|application|twitter)\b|(?:réagir|partager) (?:à )?cet article",
)
# Who worked on it, who owns it, how to write to them.
CREDIT = _any(
    r"\(?(?:(?:additional )?reporting|writing|written|edited|editing|compiled|produced) (?:by|from)\b",
    r".{3,160}\bcontributed (?:to this|reporting)\b",
    r"(?:associated press|ap|reuters|afp|bloomberg) (?:writers?|correspondents?|reporters?)\b",
    r"(?:©|ⓒ|\(c\) ?\d|copyright\b|all rights reserved)",
    r"<?\s*저작권자|무단\s?전재|<\s*ⓒ|.{0,60}무단\s?전재.{0,10}재배포",
    r"(?:все права защищены|при (?:полном|любом) .{0,30}использовании материалов|перепечатка материалов)",
    r"(?:усі права захищ|всі права захищ|при (?:повному|будь-якому) .{0,30}використанні матеріалів|передрук матеріалів)",
    r"(?:無断転載|本サイトの記事|無断複製|著作権)",
    r"(?:版权所有|未经授权|转载请注明|責任編輯|责任编辑|编辑[:：]|編輯[:：]|\(编辑|（编辑|（責任編集)",
    r"(?:tous droits réservés|reproduction interdite|\(avec (?:afp|reuters|ap)\))",
)
# The line is a date or a reading time and nothing else.
DATE = _any(
    r"(?:(?:first |last )?(?:published|updated|posted|modified|issued)|date)\b\s*(?:on|at|:)?\s*.{0,20}\d.{0,40}",
    r"\d+ ?(?:min(?:ute)?s?|m) (?:read|ago)|reading time\b.{0,30}|tempo de leitura\b.{0,30}|temps de lecture\b.{0,30}",
    r"(?:기사)?\s?(?:입력|수정|등록|승인|송고|업데이트|최종수정)\s?(?:시간|일|일시)?\s*[:：\[]?.{0,6}\d{2,4}[.\-/년].{0,40}",
    r"(?:опубликовано|обновлено|опубліковано|оновлено|дата публика?ц[иі]+)\b.{0,60}\d.{0,30}",
    r"(?:公開|更新|配信|掲載)(?:日時|日)?\s*[:：]?\s*\d{2,4}.{0,30}|(?:发布|發布|更新)(?:时间|時間|日期)\s*[:：].{0,40}",
    r"(?:publié|mis à jour|modifié)\b.{0,60}\d.{0,40}",
    r"\d{4}-\d\d-\d\dT[\d:.+Z\-]+|\d{4}[.\-/]\d{1,2}[.\-/]\d{1,2}\.?(?:\s+\d{1,2}:\d\d(?::\d\d)?)?",
    r"\d{1,2}[./]\d{1,2}[./]\d{4}(?:,?\s+(?:в\s+|о\s+)?\d{1,2}:\d\d)?",
    r"(?:\w+day,? )?(?:\d{1,2} )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?,? (?:\d{1,2},? )?\d{4}.{0,25}",
)
# The line tells what a picture shows, by the credit at its end or the mark at its start.
CAPTION = _any(
    r"(?:photo|image|picture|file photo|video|graphic|illustration)(?:\s+(?:by|credit|courtesy)\b.{0,60}|\s*[:/]\s*.{1,60})",
    r".{5,300}[(\[]\s*(?:photo|image|credit|picture|file|courtesy|getty)\b[^()\[\]]{0,60}[)\]]\.?",
    r".{0,200}(?:/|\()\s?(?:사진|자료\s?사진|연합뉴스 자료|영상)\s?[=:].{0,40}|(?:사진|영상|자료)\s?[=:].{0,100}|.{5,120}\[사진[^\]]{0,30}\]",
    r"(?:фото|скриншот|иллюстрация|відео|видео|скріншот|ілюстрація|фотография|источник фото)\s*[:©].{0,100}",
    r"(?:写真|撮影|画像|図)\s*[=＝:：].{0,80}|.{5,120}[（(](?:写真|撮影|画像)[^（）()]{0,40}[)）]|.{2,120}＝(?:共同|ロイター|AP|AFP|時事)",
    r"(?:图片来源|圖片來源|图片|图源|資料圖|资料图|图为|圖為)\s*[:：/].{0,80}|.{5,120}[（(](?:图片|資料圖|资料图|图源)[^（）()]{0,40}[)）]",
    r"(?:photo|image|crédit(?:s)?(?: photo)?|illustration)\s*[:©].{0,100}|©\s?\w.{0,60}",
)
BY = _any(
    r"(?:story |words |written |reported |posted )?by",
    r"автор(?:ы|и)?\s*:?|текст\s*:|корреспондент",
    r"par|propos recueillis par",
    r"文\s*[:：/]|作者\s*[:：]|记者|記者|撰文\s*[:：]?|編輯|责编",
    r"取材・?文\s*[:：=]|文＝",
    r"글\s*[=:]?|기자\s*[:=]",
)
ADDRESS = re.compile(r"(?:https?://|www\.)\S+$", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?…。！？]['\"’”»)\]」』】]*$|다$")
# One word of a line that holds nothing but addresses.
CONTACT = re.compile(
    r"[\w.+-]+@[\w.-]+|@\w+|(?:https?://|www\.)\S+|[\w-]+\.(?:com|net|org|co|ru|ua|kr|jp|cn|fr)(?:/\S*)?|e-?mail:?|[,|/·:]+",
    re.IGNORECASE,
)
