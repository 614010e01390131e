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
                regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(piece.found[1],
                    '(?<=[a-z]{2})ies$', 'y'),
                    '(?<=[a-z]{2}[^su])s$', ''),
                    '(?<=[\u0400-\u052f]{3})(?:ся|сь)$', ''),
                    '(?<=[\u0400-\u052f]{3})(?:' || c_endings || ')$', ''),
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

-- What to look for, and whom to weigh: c_budget paragraphs at most. With rare words among those asked for, whoever has one
-- of them; the common ones then only add to it. With common words alone, whoever has as many of them as can be found.
create function ingest.word_plan(p_words text[], out queries tsquery[], out weights real[], out mean_words real,
                                 out finder tsquery)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    c_budget constant integer := 5000;
    c_enough constant integer := 200;
    v_rare tsquery[];
    v_found bigint;
begin
    select array_agg(w.query), array_agg(w.weight), min(w.mean_words),
           array_agg(w.query) filter (where w.up_to_here <= c_budget)
    into queries, weights, mean_words, v_rare
    from (
        select ww.*, sum(ww.paragraphs) over (order by ww.paragraphs, ww.word) as up_to_here
        from ingest.word_weights(p_words) ww
    ) w;
    if queries is null then
        return;
    end if;
    if v_rare is not null then
        finder := ingest.any_of(v_rare);
        return;
    end if;
    for n in reverse least(cardinality(queries), 8) .. 1 loop
        finder := ingest.all_of(queries[:n]);
        select count(*) into v_found
        from (select from ingest.paragraph_words p where p.words @@ finder limit c_enough) few;
        exit when v_found = c_enough;
    end loop;
end
$$;
comment on function ingest.word_plan is 'How a search for words goes about it: the words with their weights, and the condition that finds candidates.';

-- BM25 with each word counted once (k1 1.2, b 0.75) of the words `has.words`, with the plan's queries, weights and mean
-- number of words as $8, $9 and $10 of the statement that it is part of.
create function ingest.weighing() returns text
language sql immutable
as $$
select '(select (coalesce(sum(w.weight), 0) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length(has.words) / $10)))::real
         from unnest($8, $9) as w (query, weight)
         where has.words @@ w.query)'
$$;
comment on function ingest.weighing is 'The score of a paragraph''s words, as part of a statement.';

-- The k paragraphs with the most and rarest words.
create function ingest.word_search(p_queries tsquery[], p_weights real[], p_mean_words real, p_finder tsquery, p_k integer,
                                   p_since timestamptz, p_until timestamptz, p_lang text, p_country text,
                                   p_publisher text)
returns table (paragraph_id bigint, score real)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    c_budget constant integer := 5000;
    v_finder tsquery := p_finder;
    v_from text;
begin
    if p_queries is null then
        return;
    end if;
    if ingest.few_pass(p_since, p_until, p_lang, p_country, p_publisher) then
        v_finder := ingest.any_of(p_queries);
        v_from := 'select has.paragraph_id, has.words
                   from (select distinct ap.paragraph_id
                         from ingest.versions v join ingest.appearances ap using (version_id)
                         where ' || ingest.passing() || ') passing
                   join ingest.paragraph_words has using (paragraph_id)
                   where has.words @@ $1';
    else
        v_from := 'select has.paragraph_id, has.words from ingest.paragraph_words has where has.words @@ $1';
        if coalesce(p_since::text, p_until::text, p_lang, p_country, p_publisher) is not null then
            v_from := v_from || ' and exists (
                           select from ingest.appearances ap join ingest.versions v using (version_id)
                           where ap.paragraph_id = has.paragraph_id and ' || ingest.passing() || ')';
        end if;
        v_from := v_from || ' limit ' || c_budget;
    end if;
    return query execute
        'select has.paragraph_id, ' || ingest.weighing() || ' as score
         from (' || v_from || ') has
         order by score desc, has.paragraph_id
         limit $2'
    using v_finder, p_k, p_since, p_until, p_lang, p_country, p_publisher, p_queries, p_weights, p_mean_words;
end
$$;
comment on function ingest.word_search is 'The paragraphs that have the most and rarest words of a search.';

-- The paragraphs nearest to a vector, also of a country or publisher.
create function ingest.near(p_query halfvec, p_k integer, p_since timestamptz, p_until timestamptz, p_lang text,
                            p_country text, p_publisher text)
returns table (paragraph_id bigint, similarity real)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_model integer;
begin
    if p_query is null then
        return;
    end if;
    if p_country is null and p_publisher is null then
        return query select s.paragraph_id, s.similarity from analysis.similar(p_query, p_k, p_since, p_until, p_lang) s;
        return;
    end if;
    select model_id into v_model from ingest.models where active;
    if v_model is null then
        return;
    end if;
    if ingest.few_pass(p_since, p_until, p_lang, p_country, p_publisher) then
        return query execute format(
            'select e.paragraph_id, (-(e.embedding <#> $1))::real
             from (select distinct ap.paragraph_id
                   from ingest.versions v join ingest.appearances ap using (version_id)
                   where %2$s) passing
             join ingest.embeddings_%1$s e using (paragraph_id)
             order by e.embedding <#> $1, e.paragraph_id
             limit $2', v_model, ingest.passing())
        using p_query, p_k, p_since, p_until, p_lang, p_country, p_publisher;
    else
        perform set_config('hnsw.iterative_scan', 'relaxed_order', true);
        perform set_config('hnsw.ef_search', least(greatest(2 * p_k, 40), 1000)::text, true);
        return query execute format(
            'select e.paragraph_id, (-(e.embedding <#> $1))::real
             from ingest.embeddings_%1$s e
             where exists (
                 select from ingest.appearances ap join ingest.versions v using (version_id)
                 where ap.paragraph_id = e.paragraph_id and %2$s)
             order by e.embedding <#> $1
             limit $2', v_model, ingest.passing())
        using p_query, p_k, p_since, p_until, p_lang, p_country, p_publisher;
    end if;
end
$$;
comment on function ingest.near is 'The paragraphs nearest to a vector that pass the filters of a search.';

-- What a search chooses from: the paragraphs nearest in meaning and those with its words, each with both figures.
create function ingest.search_candidates(p_query halfvec, p_words text[], p_k integer, p_since timestamptz,
                                         p_until timestamptz, p_lang text, p_country text, p_publisher text)
returns table (paragraph_id bigint, similarity real, near_place bigint, score real, word_place bigint)
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
    v_model integer;
    v_plan record;
    v_distance text := 'null';
begin
    select model_id into v_model from ingest.models where active;
    select * into v_plan from ingest.word_plan(p_words);
    if v_model is not null and p_query is not null then
        v_distance := format('(select (-(e.embedding <#> $1))::real from ingest.embeddings_%s e
                               where e.paragraph_id = either.paragraph_id)', v_model);
    end if;
    return query execute format(
        'with near as materialized (
             select n.paragraph_id, n.similarity, row_number() over (order by n.similarity desc, n.paragraph_id) as place
             from ingest.near($1, $2, $3, $4, $5, $6, $7) n
         ), having_words as materialized (
             select h.paragraph_id, h.score, row_number() over (order by h.score desc, h.paragraph_id) as place
             from ingest.word_search($8, $9, $10, $11, $2, $3, $4, $5, $6, $7) h
         )
         select paragraph_id, coalesce(near.similarity, %1$s)::real, near.place,
                coalesce(having_words.score, (select %2$s from ingest.paragraph_words has
                                              where has.paragraph_id = either.paragraph_id), 0)::real,
                having_words.place
         from (select paragraph_id from near union select paragraph_id from having_words) either
         left join near using (paragraph_id)
         left join having_words using (paragraph_id)', v_distance, ingest.weighing())
    using p_query, p_k, p_since, p_until, p_lang, p_country, p_publisher, v_plan.queries, v_plan.weights,
          v_plan.mean_words, v_plan.finder;
end
$$;
comment on function ingest.search_candidates is 'The paragraphs that a search chooses from, with how near each is and how well its words fit.';

-- Where a paragraph is shown: in the earliest article that passes the filters.
create function ingest.earliest(p_paragraph bigint, p_since timestamptz, p_until timestamptz, p_lang text,
                                p_country text, p_publisher text)
returns table (publisher text, language text, published_at timestamptz, title text, url text, story_id bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
select pub.name, v.language, v.published_at, v.title, a.url, a.story_id
from ingest.appearances ap
join ingest.versions v using (version_id)
join ingest.articles a using (article_id)
join ingest.publishers pub using (publisher_id)
where ap.paragraph_id = p_paragraph
  and (p_since is null or v.published_at >= p_since) and (p_until is null or v.published_at < p_until)
  and (p_lang is null or v.language = p_lang) and (p_country is null or pub.country = p_country)
  and (p_publisher is null or pub.name = p_publisher)
order by v.published_at, v.version_id
limit 1
$$;
comment on function ingest.earliest is 'The earliest article with a paragraph that passes the filters of a search.';

-- Searches by name ---------------------------------------------------------------------------------------------

create function ingest.check_search() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    c_length constant integer := 5000;  -- characters; the model reads about the first 2000
    c_rows constant integer := 1000;
begin
    if length(new.text) > c_length then
        raise exception 'the text of a search has % characters at most, this one has %', c_length, length(new.text)
            using errcode = 'check_violation', hint = 'Search for the sentence that matters.';
    end if;
    if tg_op = 'INSERT' then
        if (select count(*) from ingest.searches s where s.owner = new.owner) >= c_rows then
            raise exception '% has % searches, more are not kept', new.owner, c_rows
                using errcode = 'program_limit_exceeded',
                      hint = 'delete from analysis.searches where created_at < now() - interval ''1 month'';';
        end if;
    elsif new.text is distinct from old.text then
        new.created_at := clock_timestamp();
        new.model_id := null;
        new.embedding := null;
        new.terms := null;
        new.embedded_at := null;
        new.problem := null;
    end if;
    return new;
end
$$;
comment on function ingest.check_search is 'Keeps the limits of searches; a new text waits for its vector again.';
create trigger check_search before insert or update of name, text on ingest.searches
    for each row execute function ingest.check_search();

create function ingest.tell_of_searches() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('claimwatch_searches', '');
    return null;
end
$$;
comment on function ingest.tell_of_searches is 'Wakes `claimwatch listen`.';
create trigger tell_of_searches after insert or update of text on ingest.searches
    for each statement execute function ingest.tell_of_searches();

-- Somebody who has just stored a search asks for its results in the next statement: so this waits a little.
create function ingest.find_search(p_name text, out embedding halfvec, out terms text[])
language plpgsql volatile
set search_path = pg_catalog, public, pg_temp
as $$
declare
    c_wait constant interval := '5 seconds';
    v_begun timestamptz := clock_timestamp();
    v_search ingest.searches;
begin
    loop
        select s.* into v_search from ingest.searches s where s.owner = session_user and s.name = p_name;
        if not found then
            raise exception 'you have no search named %', coalesce(p_name, '(null)')
                using errcode = 'no_data_found',
                      hint = format('insert into analysis.searches (name, text) values (%L, ''what to look for'');', p_name);
        end if;
        if v_search.problem is not null then
            raise exception 'the search % failed: %', p_name, v_search.problem
                using errcode = 'data_exception',
                      hint = format('update analysis.searches set text = ''other words'' where name = %L;', p_name);
        end if;
        if v_search.model_id = (select m.model_id from ingest.models m where m.active) then
            embedding := v_search.embedding;
            terms := v_search.terms;
            return;
        end if;
        if clock_timestamp() > v_begun + c_wait then
            raise exception 'the search % still waits for its vector', p_name
                using errcode = 'object_not_in_prerequisite_state',
                      hint = 'Commit, if it was stored in this transaction. Otherwise `claimwatch listen`, part of '
                             '`claimwatch up`, does not run. analysis.full_text needs neither.';
        end if;
        perform pg_sleep(0.02);
    end loop;
end
$$;
comment on function ingest.find_search is 'Vector and words of one''s own search of that name, as soon as they are there.';
