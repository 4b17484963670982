# ./run check: what CI runs. The quick checks come first; the first failure stops it. Sourced by ./run.

offer_test_packages() {
    offer_packages tests "Tests of translations and of the PDF's inside are skipped"
    offer_packages browser "Browser tests are skipped: Chromium is not here and could not be installed"
}

step() {
    local name=$1 began=$SECONDS
    shift
    printf '\n=== %s\n' "$name"
    attend "$@" || { printf '=== failed: %s\n' "$name"; exit 1; }
    printf '=== %s: passed in %s s\n' "$name" "$((SECONDS - began))"
}

run_check() {
    local scratch
    (( $# == 0 )) || stop "./run check takes no arguments."
    ensure_python dev
    ensure_packages runtime stack
    offer_test_packages
    unset DATABASE_URL REDIS_URL
    new_scratch check
    scratch=$NEW_SCRATCH
    STEP_SIGNAL=INT
    cd "$ROOT"

    step "ruff format" "$PY" -m ruff format --check --quiet .
    step "ruff check" "$PY" -m ruff check --quiet .
    step "floors (lint-imports)" "$VENV/bin/python" -c 'from importlinter.cli import lint_imports_command as main; main()'
    step "types (mypy)" env CLEARLINE_MODE=test CLEARLINE_HOME="$scratch/tooling" "$PY" -m mypy
    step "migrations match the models" \
        env CLEARLINE_MODE=test CLEARLINE_HOME="$scratch/tooling" "$PY" manage.py makemigrations --check --dry-run
    step "production settings (check --deploy)" env "${PRODUCTION_SAMPLE[@]}" CLEARLINE_HOME="$scratch/production" \
        "$PY" manage.py check --deploy --fail-level WARNING
    step "tests on SQLite" "$PY" -m pytest -n 2 --max-worker-restart 0
    step "bars of docs/trust.md, small, on SQLite" "$PY" -m tests.soak --small
    step "one purchase" env CLEARLINE_HOME="$scratch/demo" "$ROOT/run" demo --once
    step "ledger of the demo's data" env CLEARLINE_HOME="$scratch/demo" "$ROOT/run" manage verify_ledger
    start_stack
    step "tests on PostgreSQL and Redis" "$PY" -m pytest -n 2 --max-worker-restart 0 -m "not embedded"
    step "bars of docs/trust.md, small, on PostgreSQL" "$PY" -m tests.soak --small --db postgresql
    printf '\nEverything passed.\n'
}

PRODUCTION_SAMPLE=(
    CLEARLINE_MODE=production
    SECRET_KEY=kX3vTq8mWz5bNfRj2LpYc7HdGs4UaEe9oViKtM6QxBn1ZrPw0ShJ
    ALLOWED_HOSTS=shop.example
    SITE_URL=https://shop.example
    DATABASE_URL=postgres://clearline@localhost/clearline
    REDIS_URL=redis://localhost:6379/0
    EMAIL_URL=smtp://localhost:25
    CLEARLINE_LOG_SEED_LIVE=5f1c0b7e93a2d84466f1b0a9c3e7d5528a40f6e1927bc3d8e5a7f019b6c4d2e3
)
