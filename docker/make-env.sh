#!/bin/sh
# Prints .env.example with fresh secrets in place of the empty ones:  sh docker/make-env.sh > .env
set -eu
umask 077
random() { od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'; }
while IFS= read -r line; do
  case $line in
    '#'*) printf '%s\n' "$line" ;;
    # Fernet wants 32 bytes in URL-safe base64: 43 letters or digits and a =. The 43rd carries four bits: 0 is one it may be.
    AIRFLOW_FERNET_KEY=) printf '%s%s0=\n' "$line" "$(random 21)" ;;
    AIRFLOW_SECRET_KEY= | AIRFLOW_JWT_SECRET=) printf '%s%s\n' "$line" "$(random 64)" ;;
    *=) printf '%s%s\n' "$line" "$(random 24)" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < "$(dirname "$0")/../.env.example"
