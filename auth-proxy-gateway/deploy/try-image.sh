#!/usr/bin/env bash
# Tries the image `auth-proxy-gateway` and each recipe of `compose`. Needs Docker, curl, and the image:
#   docker build --tag auth-proxy-gateway --file auth-proxy-gateway/Dockerfile .
set -euo pipefail
cd "$(dirname "$0")/compose"
AUTH_SECRET=$(openssl rand -base64 33)
export AUTH_SECRET

fail() { printf 'try-image.sh: %s\n' "$*" >&2; exit 1; }

docker run --rm auth-proxy-gateway --version
user=$(docker inspect --format '{{.Config.User}}' auth-proxy-gateway)
[ "$user" = nonroot ] || fail "the image runs as $user"

# status EXPECTED PATH [curl options]: waits until a path has this status.
status() {
  local expected=$1 path=$2 found=
  shift 2
  for _ in $(seq 120); do
    found=$(curl --silent --output /dev/null --write-out '%{http_code}' "$@" "http://localhost:8080$path" || true)
    [ "$found" != "$expected" ] || return 0
    sleep 1
  done
  docker compose logs
  fail "$path answers $found, expected $expected"
}

for recipe in */compose.yaml; do
  cd "$(dirname "$recipe")"
  docker compose up --build --detach
  status 200 /public/x
  status 401 /
  jar=$(mktemp)
  status 200 /api/auth/csrf --cookie-jar "$jar"
  csrf=$(curl --silent --cookie "$jar" --cookie-jar "$jar" http://localhost:8080/api/auth/csrf | sed 's/.*"csrfToken":"\([^"]*\)".*/\1/')
  status 302 /api/auth/callback/credentials --cookie "$jar" --cookie-jar "$jar" \
    --data-urlencode "csrfToken=$csrf" --data "username=demo&password=demo&callbackUrl=/"
  curl --silent --cookie "$jar" http://localhost:8080/ | grep --quiet 'hello, Demo' || fail "the app does not greet the visitor"
  status 403 /admin/ --cookie "$jar"
  docker compose down
  rm "$jar"
  cd ..
done
