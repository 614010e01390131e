-- Searches: free text that an analyst stores, and what the pipeline makes of it so that SQL alone can search.

create table ingest.searches (
    search_id   bigint generated always as identity primary key,
    name        text        not null check (name <> '' and length(name) <= 100),
    owner       text        not null default session_user,
    text        text        not null,
    created_at  timestamptz not null default clock_timestamp(),
    model_id    integer     references ingest.models,
    embedding   halfvec,
    terms       text[],
    embedded_at timestamptz,
    problem     text,
    unique (owner, name)
);
create index searches_model on ingest.searches (model_id);
comment on table ingest.searches is 'Free text that somebody searches for, by name. Analysts write it through analysis.searches; `claimwatch listen` makes its vector and its words.';
comment on column ingest.searches.search_id is 'Number of the search.';
comment on column ingest.searches.name is 'Its name, as analysis.search_results takes it; each owner has names of their own.';
comment on column ingest.searches.owner is 'The database role that stored it.';
comment on column ingest.searches.text is 'What is searched for, in any language.';
comment on column ingest.searches.created_at is 'When its text was stored, by the server''s clock.';
comment on column ingest.searches.model_id is 'The model that made its vector; empty until then.';
comment on column ingest.searches.embedding is 'Its vector, normalised; empty until it is made.';
comment on column ingest.searches.terms is 'The words of it that full text looks for; empty until the vector is made.';
comment on column ingest.searches.embedded_at is 'When vector and words were made.';
comment on column ingest.searches.problem is 'Why nothing could be made of the text.';

-- The words of a text, by the rules of pipeline/logic/searchwords.py: a test compares the two. Neither the server's
-- locale nor its text-search dictionaries matter: letters are named one by one.
create function ingest.words_of(p_text text) returns text[]
language plpgsql immutable strict parallel safe
set search_path = pg_catalog
as $$
declare
    -- Capitals and Latin letters with accents, and what each becomes.
    c_from constant text := 'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞàáâãäåçèéêëìíîïñòóôõöùúûüýÿĀāĂăĄąĆćĈĉĊċČ'
        || 'čĎďĐĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĦĨĩĪīĬĭĮįİĲĴĵĶķĹĺĻļĽľĿŁŃńŅņŇňŊŌōŎŏŐőŒŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŨũŪūŬŭŮůŰűŲųŴŵŶŷ'
        || 'ŸŹźŻżŽžƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƠơƢƤƦƧƩƬƮƯưƱƲƳƵƷƸƼǄǅǇǈǊǋǍǎǏǐǑǒǓǔǕǖǗǘǙǚǛǜǞǟǠǡǢǤǦǧǨǩǪǫǬǭǮǰǱǲǴǵǶǷǸǹǺǻǼǾȀ'
        || 'ȁȂȃȄȅȆȇȈȉȊȋȌȍȎȏȐȑȒȓȔȕȖȗȘșȚțȜȞȟȠȢȤȦȧȨȩȪȫȬȭȮȯȰȱȲȳȺȻȽȾɁɃɄɅɆɈɊɌɎΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫϏϘϚ'
        || 'ϜϞϠϢϤϦϨϪϬϮϴϷϹϺϽϾϿЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤ'
        || 'ҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮḀḁḂḃḄḅḆḇḈḉḊḋḌḍḎḏḐḑḒḓḔḕḖḗḘḙḚ'
        || 'ḛḜḝḞḟḠḡḢḣḤḥḦḧḨḩḪḫḬḭḮḯḰḱḲḳḴḵḶḷḸḹḺḻḼḽḾḿṀṁṂṃṄṅṆṇṈṉṊṋṌṍṎṏṐṑṒṓṔṕṖṗṘṙṚṛṜṝṞṟṠṡṢṣṤṥṦṧṨṩṪṫṬṭṮṯṰṱṲṳṴṵṶṷṸṹṺ'
        || 'ṻṼṽṾṿẀẁẂẃẄẅẆẇẈẉẊẋẌẍẎẏẐẑẒẓẔẕẖẗẘẙẞẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặẸẹẺẻẼẽẾếỀềỂểỄễỆệỈỉỊịỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞở'
        || 'ỠỡỢợỤụỦủỨứỪừỬửỮữỰựỲỳỴỵỶỷỸỹỺỼỾёґßøłđς';
    c_to constant text := 'abcdefghijklmnopqrstuvwxyzaaaaaaæceeeeiiiiðnoooooouuuuyþaaaaaaceeeeiiiinooooouuuuyyaaaaaaccccccc'
        || 'cdddeeeeeeeeeegggggggghhħiiiiiiiiiĳjjkkllllllŀlnnnnnnŋooooooœrrrrrrssssssssttttŧuuuuuuuuuuuuwwyy'
        || 'yzzzzzzɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵooƣƥʀƨʃƭʈuuʊʋƴƶʒƹƽǆǆǉǉǌǌaaiioouuuuuuuuuuaaaaǣǥggkkooooǯjǳǳggƕƿnnaaǽǿa'
        || 'aaaeeeeiiiioooorrrruuuussttȝhhƞȣȥaaeeooooooooyyⱥȼƚⱦɂƀʉʌɇɉɋɍɏάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋϗϙϛ'
        || 'ϝϟϡϣϥϧϩϫϭϯθϸϲϻͻͼͽѐеђѓєѕіїјљњћќѝўџабвгдежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏгғҕҗҙқҝҟҡңҥ'
        || 'ҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯaabbbbbbccddddddddddeeeeeee'
        || 'eeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuu'
        || 'uvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyßaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooo'
        || 'oooouuuuuuuuuuuuuuyyyyyyyyỻỽỿегsoldσ';
    c_marks constant text := U&'\0589\05be\060c\061b\061f\06d4\0964\0965';
    c_letters constant text := '0-9a-z\u00df-\u00f6\u00f8-\u02af\u0300-\u0dff\u10a0-\u10ff\u1200-\u139f\u1e00-\u1fff';
    c_paired constant text :=
        '\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005\u3040-\u30ff\u3130-\u318f\u3400-\u9fff'
        || '\uac00-\ud7af\uf900-\ufaff';
    c_endings constant text :=
        'ыми|ими|іми|їми|ого|его|ього|ому|ему|ьому|ый|ий|ій|ой|ей|ая|яя|ое|ее|ые|ие|ым|'
        || 'им|ім|їм|ом|ем|єм|ую|юю|ою|ею|єю|ых|их|іх|їх|иями|іями|ями|ами|иях|іях|ях|ах|'
        || 'иям|іям|ям|ам|ием|ією|ієм|ией|еві|ові|єві|ів|їв|ов|ев|ии|ия|ию|ія|ію|ії|іє|а|'
        || 'я|ы|и|і|ї|у|ю|е|є|о|ь|й|ують|юють|уют|юют|яють|ають|аєть|яєть|ались|ила|ыла|'
        || 'ала|яла|ела|іла|ило|ыло|ало|яло|ело|іло|или|ыли|али|яли|ели|іли|ил|ыл|ал|ял|ел|'
        || 'ив|ав|яв|ить|ыть|ать|ять|еть|іть|ити|ати|яти|іти|ете|ите|єте|йте|ешь|ишь|еш|иш|'
        || 'єш|емо|имо|ємо|ет|ют|ит|ят|ут|ат|уть|ють|ает|яет|ует|ає|яє|ує|ла|ло|ли|ть|ти|'
        || 'л|в';
    v_text text;
    v_words text[];
begin
    v_text := normalize(translate(p_text, U&'\2018\2019\02bc\02b9\0060\00b4', repeat('''', 6)), nfkc);
    v_text := translate(translate(v_text, c_from, c_to), c_marks, repeat(' ', length(c_marks)));
    v_text := regexp_replace(v_text, '([0-9])[,.](?=[0-9]{3}(?![0-9]))', '\1', 'g');
    v_text := regexp_replace(v_text, '(?<![0-9])([0-9]{1,3}) (?=[0-9]{3}(?![0-9]))', '\1', 'g');
    v_text := regexp_replace(v_text, '([\u0400-\u052f])''(?=[\u0400-\u052f])', '\1', 'g');
    select array_agg(word order by place, pair) into v_words
    from (
        select piece.place, split.pair, split.word
        from regexp_matches(v_text, '([' || c_letters || ']+)|([' || c_paired || ']+)', 'g')
             with ordinality as piece (found, place)
        cross join lateral (
            select 1 as pair, case when piece.found[1] ~ '^[0-9]' then left(piece.found[1], 40) else left(
                regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(piece.found[1],
                    '(?<=[a-z]{2})ies$', 'y'),
                    '(?<=[a-z]{2}[^su])s$', ''),
                    '(?<=[\u0400-\u052f]{3})(?:ся|сь)$', ''),
                    '(?<=[\u0400-\u052f]{3})(?:' || c_endings || ')$', ''),
                    'нн', 'н', 'g'), 6) end as word
            where piece.found[1] is not null and piece.found[1] !~ '^[a-z]$'
            union all
            select n, substr(piece.found[2], n, 2)
            from generate_series(1, greatest(length(piece.found[2]) - 1, 1)) as n
            where piece.found[2] is not null
        ) split
    ) each
    where word <> '';
    return coalesce(v_words, '{}');
end
$$;
comment on function ingest.words_of is 'The words of a text as full text stores and looks for them: beginnings of words without endings, pairs of neighbouring characters in Korean, Japanese and Chinese.';


-- Full text ----------------------------------------------------------------------------------------------------

create table ingest.paragraph_words (
    paragraph_id bigint   primary key references ingest.paragraphs on delete cascade,
    version      smallint not null,
    words        tsvector not null
);
create index paragraph_words_words on ingest.paragraph_words using gin (words);
create index paragraph_words_version on ingest.paragraph_words (version);
comment on table ingest.paragraph_words is 'The words of each paragraph, for full text in any language.';
comment on column ingest.paragraph_words.paragraph_id is 'The paragraph.';
comment on column ingest.paragraph_words.version is 'Version of the rules that made the words; `claimwatch maintain` makes older ones again.';
comment on column ingest.paragraph_words.words is 'Its words as ingest.words_of makes them, each once.';

create table ingest.word_counts (
    word       text   primary key,
    paragraphs bigint not null
);
comment on table ingest.word_counts is 'How many paragraphs have a word, for words that are not rare: what is rare counts more in a search. Estimated from a sample by `claimwatch maintain`.';
comment on column ingest.word_counts.word is 'The word.';
comment on column ingest.word_counts.paragraphs is 'Paragraphs that have it.';

create table ingest.word_totals (
    paragraphs bigint      not null,
    mean_words real        not null,
    counted_at timestamptz not null
);
create unique index word_totals_one on ingest.word_totals ((true));
comment on table ingest.word_totals is 'One row: what ingest.word_counts was counted over. No row while the archive is so small that a search counts for itself.';
comment on column ingest.word_totals.paragraphs is 'Paragraphs with words, then.';
comment on column ingest.word_totals.mean_words is 'Mean number of different words in a paragraph.';
comment on column ingest.word_totals.counted_at is 'When that was.';

-- What a search looks for: each word once, the rarest first. A word's weight is BM25's.
create function ingest.word_weights(p_words text[])
returns table (word text, query tsquery, paragraphs bigint, weight real, mean_words real)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    c_counted constant integer := 5000;  -- paragraphs that are looked at where nothing was counted beforehand
    c_unknown constant integer := 10;  -- paragraphs that a word has which is too rare to be counted
    c_words constant integer := 100;  -- of a long text the rarest words do
    v_total bigint;
    v_mean real;
    v_counted boolean;
begin
    select t.paragraphs, t.mean_words into v_total, v_mean from ingest.word_totals t;
    v_counted := found;
    if not v_counted then
        select count(*), avg(length(few.words)) into v_total, v_mean
        from (select p.words from ingest.paragraph_words p limit c_counted) few;
        if v_total = c_counted then
            select greatest(c.reltuples::bigint, v_total) into v_total
            from pg_class c where c.oid = 'ingest.paragraph_words'::regclass;
        end if;
    end if;
    return query
    select each.word, each.query, each.paragraphs,
           ln(1 + (v_total - each.paragraphs + 0.5) / (each.paragraphs + 0.5))::real, greatest(v_mean, 1)::real
    from (
        select asked.word, asked.query, least(coalesce(counted.paragraphs, here.paragraphs, c_unknown), v_total) as paragraphs
        from (
            select distinct w.word,
                   ('''' || replace(replace(w.word, '\', '\\'), '''', '''''') || '''')::tsquery as query
            from unnest(p_words) as w (word)
            where w.word <> '' and length(w.word) <= 100
        ) asked
        left join ingest.word_counts counted using (word)
        left join lateral (
            select count(*) as paragraphs
            from (select from ingest.paragraph_words p where p.words @@ asked.query limit c_counted) few
            where not v_counted
        ) here on not v_counted
    ) each
    order by each.paragraphs, each.word
    limit c_words;
end
$$;
comment on function ingest.word_weights is 'The words of a search with how many paragraphs have each and how much it counts.';

-- Whether a paragraph stands in an article between two times, in a language, of a country or publisher. $3 to $7 of the
-- statements that it is part of.
create function ingest.passing() returns text
language sql immutable
as $$
select '($3 is null or v.published_at >= $3) and ($4 is null or v.published_at < $4) and ($5 is null or v.language = $5)
        and (($6 is null and $7 is null) or exists (
                select from ingest.articles a join ingest.publishers pub using (publisher_id)
                where a.article_id = v.article_id and ($6 is null or pub.country = $6) and ($7 is null or pub.name = $7)))'
$$;
comment on function ingest.passing is 'The condition on ingest.versions v that the filters of a search make, as part of a statement.';

-- How many articles' texts pass, counted up to a limit: few are looked at one by one, many through an index.
create function ingest.few_pass(p_since timestamptz, p_until timestamptz, p_lang text, p_country text, p_publisher text)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    c_few constant integer := 2000;
    v_found bigint;
begin
    if coalesce(p_since::text, p_until::text, p_lang, p_country, p_publisher) is null then
        return false;
    end if;
    execute format('select count(*) from (select from ingest.versions v where %s limit $1 + $2) few', ingest.passing())
        into v_found using c_few, 1, p_since, p_until, p_lang, p_country, p_publisher;
    return v_found <= c_few;
end
$$;
comment on function ingest.few_pass is 'Whether the filters of a search leave so few texts that each is looked at.';

create function ingest.any_of(p_queries tsquery[]) returns tsquery
language sql immutable
as $$ select string_agg(q::text, ' | ')::tsquery from unnest(p_queries) as q $$;
comment on function ingest.any_of is 'A query that any one of the given words satisfies.';

create function ingest.all_of(p_queries tsquery[]) returns tsquery
language sql immutable
as $$ select string_agg(q::text, ' & ')::tsquery from unnest(p_queries) as q $$;
comment on function ingest.all_of is 'A query that all of the given words together satisfy.';

-- The k paragraphs with the most and rarest words of a search, by BM25 with each word counted once (k1 1.2, b 0.75). With
-- many words the common ones only add to what a rarer one has found.
create function ingest.word_search(p_words text[], p_k integer, p_since timestamptz, p_until timestamptz, p_lang text,
                                   p_country text, p_publisher text)
returns table (paragraph_id bigint, score real)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    c_budget constant integer := 5000;  -- paragraphs that are weighed
    v_queries tsquery[];
    v_weights real[];
    v_finders tsquery[];
    v_mean real;
    v_finder tsquery;
    v_from text;
begin
    select array_agg(w.query), array_agg(w.weight), min(w.mean_words),
           array_agg(w.query) filter (where w.before + w.paragraphs <= c_budget)
    into v_queries, v_weights, v_mean, v_finders
    from (
        select ww.*, coalesce(sum(ww.paragraphs) over (order by ww.paragraphs, ww.word
                                             rows between unbounded preceding and 1 preceding), 0) as before
        from ingest.word_weights(p_words) ww
    ) w;
    if v_queries is null then
        return;
    end if;
    if v_finders is not null then
        v_finder := ingest.any_of(v_finders);
    else  -- common words alone: whoever has them all
        v_finder := ingest.all_of(v_queries);
    end if;
    if ingest.few_pass(p_since, p_until, p_lang, p_country, p_publisher) then
        v_finder := ingest.any_of(v_queries);
        v_from := 'select p.paragraph_id, p.words
                   from (select distinct ap.paragraph_id
                         from ingest.versions v join ingest.appearances ap using (version_id)
                         where ' || ingest.passing() || ') passing
                   join ingest.paragraph_words p using (paragraph_id)
                   where p.words @@ $8';
    else
        v_from := 'select p.paragraph_id, p.words
                   from ingest.paragraph_words p
                   where p.words @@ $8';
        if coalesce(p_since::text, p_until::text, p_lang, p_country, p_publisher) is not null then
            v_from := v_from || ' and exists (
                           select from ingest.appearances ap join ingest.versions v using (version_id)
                           where ap.paragraph_id = p.paragraph_id and ' || ingest.passing() || ')';
        end if;
        v_from := v_from || ' limit ' || c_budget;
    end if;
    return query execute 'select found.paragraph_id,
               (weighed.weight * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length(found.words) / $10)))::real as score
        from (' || v_from || ') found
        cross join lateral (
            select sum(w.weight) as weight from unnest($1, $9) as w (query, weight) where found.words @@ w.query
        ) weighed
        order by score desc, found.paragraph_id
        limit $2'
    using v_queries, p_k, p_since, p_until, p_lang, p_country, p_publisher, v_finder, v_weights, v_mean;
end
$$;
comment on function ingest.word_search is 'The paragraphs that have the most and rarest words of a search.';
