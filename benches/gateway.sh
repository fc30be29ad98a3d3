#!/usr/bin/env bash
# Measures the gateway beside nginx with auth_request, in front of the same app and with the same Auth.js server:
# gateway.sh PROGRAM. PROGRAM is the benchmark program that run.sh builds; it writes the rows of the table. GATEWAY names the
# binary of the gateway, which is built in release otherwise.
#
# All sides get the same request with the same session cookie. wrk, the sides, the app (nginx with a constant answer) and
# Auth.js share the machine, so compare the ratios.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # The trap calls it.
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
rounds=6 seconds=3
[ "${QUICK:-}" != 1 ] || rounds=1 seconds=1
if [ -z "${GATEWAY:-}" ]; then
  cargo build --release --locked --manifest-path "$here/../Cargo.toml" --package auth-proxy-gateway --target-dir "$here/target/gateway"
  GATEWAY=$here/target/gateway/release/auth-proxy-gateway
fi
fail() { printf 'gateway.sh: %s\n' "$*" >&2; exit 1; }

# The Auth.js server ends with its standard input.
mkfifo "$work/stdin"
exec 9<>"$work/stdin"

# line COMMAND..: starts a program, and prints the first line of its output.
line() {
  local out
  out=$(mktemp -u "$work/pipe.XXXX")
  mkfifo "$out"
  "$@" >"$out" 2>>"$work/log" <&9 &
  echo $! >>"$work/pids"
  head -1 "$out"
}

export AUTH_SECRET
AUTH_SECRET=$(openssl rand -base64 33)
auth=$(cd "$here/../tests/authjs" && line node server.mjs | sed 's/[^0-9]//g')
mapfile -t pids <"$work/pids"
first=$((20000 + RANDOM % 10000))
app=$first asking=$((first + 1)) verdict=$((first + 2))

# gateway TABLES [APP]: starts a gateway, and prints its port.
gateway() {
  local file
  file=$(mktemp "$work/gateway.XXXX")
  {
    printf 'listen = "127.0.0.1:0"\ntrusted_proxies = ["127.0.0.1"]\n[upstream]\nkind = "authjs"\nbase_url = "http://127.0.0.1:%s"\n' "$auth"
    printf '%b\n' "$1"
    [ -z "${2:-}" ] || printf '[app]\nurl = "http://127.0.0.1:%s"\n' "$2"
    printf '[log]\nlevel = "warn"\nrequests = false\n'
  } >"$file"
  line "$GATEWAY" --config "$file" | sed 's/.*://'
}
secret='secret = "${AUTH_SECRET}"'
asks=$(gateway "" "$app")
cached=$(gateway '[session]\ncache = "30s"' "$app")
decodes=$(gateway "$secret\n[session]\nsource = \"local\"" "$app")
answers=$(gateway '[session]\ncache = "30s"')
mapfile -t pids <"$work/pids"

# The app, nginx that asks Auth.js itself, and nginx that asks the gateway.
question='internal; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;'
original='proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Original-Method $request_method;'
forward='proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_pass http://app;'
cat >"$work/nginx.conf" <<NGINX
worker_processes auto; daemon off; pid $work/nginx.pid; error_log $work/nginx.log crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c; uwsgi_temp_path $work/d; scgi_temp_path $work/e;
  upstream app { server 127.0.0.1:$app; keepalive 64; keepalive_requests 100000000; }
  upstream auth { server 127.0.0.1:$auth; keepalive 64; }
  upstream gateway { server 127.0.0.1:$answers; keepalive 64; keepalive_requests 100000000; }
  server { listen 127.0.0.1:$app; location / { return 200 "hello\n"; } }
  server {
    listen 127.0.0.1:$asking;
    location = /question { $question proxy_pass http://auth/api/auth/session; }
    location / { auth_request /question; $forward }
  }
  server {
    listen 127.0.0.1:$verdict;
    location = /question { $question $original proxy_pass http://gateway/_auth/verdict; }
    location / { auth_request /question; auth_request_set \$subject \$upstream_http_x_auth_subject; proxy_set_header X-Auth-Subject \$subject; $forward }
  }
}
NGINX
nginx -p "$work" -c "$work/nginx.conf" 2>>"$work/log" &
pids+=($!)

# A session, signed in through the gateway.
origin=http://localhost:$asks
for _ in $(seq 100); do curl --silent --output /dev/null "$origin/api/auth/csrf" && break || sleep 0.1; done
csrf=$(curl --silent --cookie-jar "$work/jar" "$origin/api/auth/csrf" | sed 's/.*"csrfToken":"\([^"]*\)".*/\1/')
curl --silent --output /dev/null --cookie "$work/jar" --cookie-jar "$work/jar" --data-urlencode "csrfToken=$csrf" \
  --data 'username=demo&password=demo' "$origin/api/auth/callback/credentials"
cookie=$(awk '$6 ~ /session-token/ { print $6 "=" $7 }' "$work/jar")
[ -n "$cookie" ] || fail "no session: $(cat "$work/log")"

# measure NAME PORT: adds the requests per second of a side to its file.
measure() {
  local url=http://localhost:$2/hello answer
  answer=$(curl --silent --header "Cookie: $cookie" "$url")
  [ "$answer" = hello ] || fail "$1 answers $answer"
  wrk -t1 -c32 "-d${seconds}s" -s "$here/wrk.lua" -H "Cookie: $cookie" "$url" |
    awk '/^RESULT/ { if ($6 > 0) exit 1; print $2 * 1000000 / $3 }' >>"$work/$1.rate" || fail "$1 had errors"
}
for _ in $(seq "$rounds"); do
  measure asks "$asks"
  measure nginx-asks "$asking"
  measure cached "$cached"
  measure decodes "$decodes"
  measure nginx-verdict "$verdict"
done
row() { "$program" ratio gateway "$1" x - "$work/$2.rate" "$work/$3.rate"; }
row "each request asks Auth.js: requests/s, gateway / nginx auth_request" asks nginx-asks
row "requests/s, gateway with session.cache / nginx that asks Auth.js" cached nginx-asks
row "requests/s, gateway that decodes tokens / nginx that asks Auth.js" decodes nginx-asks
row "requests/s, gateway with session.cache / nginx that asks the gateway" cached nginx-verdict
for side in asks nginx-asks cached decodes nginx-verdict; do
  "$program" median gateway "requests/s, $side" "" - "$work/$side.rate"
done
