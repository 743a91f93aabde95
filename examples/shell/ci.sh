#!/usr/bin/env bash
# A job of CI with nothing but curl: starts the mock on a free port, edits, lets it fail, and asks what happened.
#
#   examples/shell/ci.sh                        the command venice-mock is on the PATH
#   VENICE_MOCK=.venv/bin/venice-mock examples/shell/ci.sh
#
# Exit code: 0 when all is well, 1 when a step failed (the last line says which), 2 when the mock did not start.
set -euo pipefail

work=$(mktemp -d)
mock_pid=
finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ -n "$mock_pid" ]; then
        kill "$mock_pid" 2>/dev/null || true
        wait "$mock_pid" || { [ "$code" -ne 0 ] || code=1; } # a mock that does not end cleanly is a failure, too
    fi
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# --- start: the port file is there once the mock answers ---------------------------------------------------
"${VENICE_MOCK:-venice-mock}" serve --port 0 --port-file "$work/port" --engine fast --log-level warning \
    >"$work/ready.json" 2>"$work/log" &
mock_pid=$!
for _ in $(seq 300); do
    [ -s "$work/port" ] && break
    kill -0 "$mock_pid" 2>/dev/null || break
    sleep 0.1
done
[ -s "$work/port" ] || {
    cat "$work/log" >&2
    echo "The mock did not start." >&2
    exit 2
}
origin=http://127.0.0.1:$(cat "$work/port")

# --- what is used below --------------------------------------------------------------------------------------
json() { curl -sS --fail-with-body -H 'Content-Type: application/json' "$@"; }
edit() { # edit OUTPUT PROMPT: prints the status
    curl -sS -o "$1" -w '%{http_code}' "$origin/api/v1/image/edit" -H 'Authorization: Bearer mock_ok' \
        -F model=qwen-edit -F prompt="$2" -F image=@"$work/in.png"
}
edit_with_retries() { # what is tested here: tries again after a 503, and only then
    local status
    for _ in 1 2 3; do
        status=$(edit "$@")
        [ "$status" = 503 ] || break
    done
    echo "$status"
}
curl -sS --fail -o "$work/in.png" "$origin/__mock/sample.png"

# --- a picture comes back ------------------------------------------------------------------------------------
[ "$(edit_with_retries "$work/out.png" 'make it a sunset')" = 200 ] || fail "the edit was refused"
[ "$(head -c 4 "$work/out.png" | od -An -tx1 | tr -d ' \n')" = 89504e47 ] || fail "the answer is no PNG"

# --- a model at capacity is tried again, and nothing is paid twice -------------------------------------------
json "$origin/__mock/reset" -d '{}' >/dev/null
json "$origin/__mock/rules" -d '{"then": {"error": "model_at_capacity"}, "times": 1}' >/dev/null
[ "$(edit_with_retries "$work/out.png" 'make it night')" = 200 ] || fail "one 503 was too much"
json "$origin/__mock/verify" -d '{"match": {"status": 503}, "times": {"exactly": 1}}' >/dev/null ||
    fail "the 503 never came"
json "$origin/__mock/verify" -d '{"match": {"charged": true}, "times": {"exactly": 1}}' ||
    fail "there was not exactly one charge" # --fail-with-body: the closest misses stand above
json "$origin/__mock/ledger/verdict" >"$work/verdict"
grep -q '"ok": *true' "$work/verdict" || fail "somebody paid twice: $(cat "$work/verdict")"

# --- an answer that was lost after its charge is not asked for again -----------------------------------------
json "$origin/__mock/reset" -d '{}' >/dev/null
json "$origin/__mock/rules" -d '{"then": {"fault": "charge_then_504"}, "times": 1}' >/dev/null
status=$(edit_with_retries "$work/out.png" 'make it rain')
json "$origin/__mock/ledger/verdict" >"$work/verdict"
grep -q '"ok": *true' "$work/verdict" || fail "somebody paid twice: $(cat "$work/verdict")"
[ "$status" = 504 ] || fail "the 504 was not told"

echo
echo "PASS"
