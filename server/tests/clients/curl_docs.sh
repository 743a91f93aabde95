#!/usr/bin/env bash
# Plain curl as the vendor's documentation uses it: JSON with base64 and with a data URL, an upload, an upload of
# 3 MB with Expect: 100-continue, format defaults, models, and the refusal of a wrong media type.
# BASE_URL is the origin (http://127.0.0.1:PORT), SEED a PNG to edit. Prints one PASS or FAIL line.
set -u
: "${BASE_URL:?the origin of a server}" "${SEED:?a PNG file}"
key=${VENICE_API_KEY:-mock-key} api=$BASE_URL/api/v1 tmp=$(mktemp -d) steps=()
trap 'rm -rf "$tmp"' EXIT

fail() { printf 'FAIL curl-docs after [%s]: %s\n' "${steps[*]}" "${1:0:400}" | tr '\n' ' '; echo; exit 1; }
pass() { steps+=("$1"); }

magic() { # the format by the file's first bytes
    case "$(head -c 4 "$1" | od -An -tx1 | tr -d ' \n')" in
    89504e47) echo png ;; ffd8ff*) echo jpeg ;; 52494646) echo webp ;; *) echo "none: $(head -c 120 "$1")" ;;
    esac
}

call() { # call WANTED-STATUS-AND-TYPE WANTED-MAGIC STEP CURL-ARGUMENTS...
    local wanted=$1 format=$2 step=$3 got
    shift 3
    got=$(curl -sS -o "$tmp/out" -w '%{http_code} %{content_type}' -H "Authorization: Bearer $key" "$@") ||
        fail "$step: curl exit $?"
    [ "$got" = "$wanted" ] || fail "$step: $got $(head -c 200 "$tmp/out")"
    [ -z "$format" ] || [ "$(magic "$tmp/out")" = "$format" ] || fail "$step: bytes are $(magic "$tmp/out")"
    pass "$step"
}

edit_json() { # edit_json PREFIX MORE-FIELDS WANTED MAGIC STEP
    printf '{"prompt":"Change the sky to a sunset","image":"%s%s"%s}' "$1" "$(base64 -w0 "$SEED")" "$2" >"$tmp/json"
    call "$3" "$4" "$5" -H 'Content-Type: application/json' --data-binary "@$tmp/json" "$api/image/edit"
}

call '200 application/json' '' models "$api/models?type=inpaint"
grep -q '"data":\[{' "$tmp/out" || fail 'models: an empty list'

edit_json '' '' '200 image/png' png json-base64-default-png
edit_json 'data:image/png;base64,' ',"output_format":"webp","safe_mode":false' '200 image/webp' webp data-url-webp
edit_json '' ',"model":"nano-banana-2-edit","resolution":"2K"' '200 image/jpeg' jpeg 2K-default-jpeg

call '200 image/png' png multipart \
    -F 'prompt=Change the sky' -F "image=@$SEED;type=image/png" -F safe_mode=true "$api/image/edit"

# A noisy 1024 x 1024 picture compresses to 3 MB, which makes curl ask before it sends.
python3 - "$tmp/big.png" <<'PY' || fail 'python3 made no picture'
import os, struct, sys, zlib
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + os.urandom(3072) for _ in range(1024))
with open(sys.argv[1], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
PY
call '200 image/png' png multipart-3MB-expect-100 --expect100-timeout 20 -H 'Expect: 100-continue' \
    -F prompt=x -F "image=@$tmp/big.png;type=image/png" "$api/image/edit"

call '415 application/json' '' wrong-media-type-415 -H 'Content-Type: text/plain' -d x "$api/image/edit"
printf 'PASS curl-docs: %s\n' "${steps[*]}"
