#!/bin/sh
# Roles, databases and pgvector for docker-compose.yml, as the server's superuser, with least privilege:
#
#   claimwatch          owns the database of that name; the pipeline. No superuser, makes no roles or databases
#   claimwatch_analyst  may connect there and nothing more; `claimwatch migrate` grants it schema analysis
#   claimwatch_reviewer the same, and `claimwatch migrate` lets it confirm and reject matches
#   airflow             owns Airflow's metadata; the others can't see it, nor it theirs
#
# The postgres image runs this once, on an empty volume. Safe to repeat: new passwords in .env are set by
#   docker compose up --detach postgres
#   docker compose exec postgres sh /docker-entrypoint-initdb.d/10-claimwatch.sh
set -eu
for name in PIPELINE_DB_PASSWORD ANALYST_DB_PASSWORD REVIEWER_DB_PASSWORD AIRFLOW_DB_PASSWORD; do
  eval "value=\${$name:-}"
  case $value in
    '') problem='is not set' ;;
    *[!A-Za-z0-9._~-]*) problem='goes into a URL: letters, digits and . _ ~ - only' ;;
    *) continue ;;
  esac
  printf 'postgres-init: %s %s. Correct it in .env, then start afresh: docker compose down --volumes\n' "$name" "$problem" >&2
  exit 1
done

as_superuser() {
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname="$1"
}

# \getenv: a password on the command line would stand in the list of processes.
as_superuser postgres <<'SQL'
set client_min_messages = warning;
\getenv pipeline PIPELINE_DB_PASSWORD
\getenv analyst ANALYST_DB_PASSWORD
\getenv reviewer REVIEWER_DB_PASSWORD
\getenv airflow AIRFLOW_DB_PASSWORD
select format('create role %I', name)
from unnest(array['claimwatch', 'claimwatch_analyst', 'claimwatch_reviewer', 'airflow']) as name
where not exists (select from pg_roles where rolname = name) \gexec
alter role claimwatch login nosuperuser nocreatedb nocreaterole password :'pipeline';
alter role claimwatch_analyst login nosuperuser nocreatedb nocreaterole password :'analyst';
alter role claimwatch_reviewer login nosuperuser nocreatedb nocreaterole password :'reviewer';
alter role airflow login nosuperuser nocreatedb nocreaterole password :'airflow';
select format('create database %1$I owner %1$I template template0', name)
from unnest(array['claimwatch', 'airflow']) as name
where not exists (select from pg_database where datname = name) \gexec
revoke all on database claimwatch, airflow, postgres, template1 from public;
grant connect on database claimwatch to claimwatch_analyst, claimwatch_reviewer;
-- What analysts and reviewers run is bounded; who needs longer sets statement_timeout in that session.
select format('alter role %I set %I = %L', role, name, value)
from unnest(array['claimwatch_analyst', 'claimwatch_reviewer']) as role,
     (values ('statement_timeout', '60s'), ('idle_in_transaction_session_timeout', '5min'), ('lock_timeout', '5s'),
             ('work_mem', '32MB')) as bound (name, value) \gexec
alter role claimwatch_analyst in database claimwatch set search_path = analysis, public;
alter role claimwatch_reviewer in database claimwatch set search_path = analysis, public;
SQL

as_superuser claimwatch <<'SQL'
set client_min_messages = warning;
revoke create on schema public from public;
create extension if not exists vector;
alter extension vector update;
SQL

as_superuser airflow <<'SQL'
revoke create on schema public from public;
SQL
