#!/bin/sh
# deploy/docker/redis-certificate.sh FOLDER [NAMES]
# An authority of your own and a certificate for Redis, for two years: redis-authority.pem, redis.pem, redis.key.
# NAMES are those at which nodes reach it, as openssl writes them. The authority's key is not kept.
set -eu
folder=${1:?a folder for the files}
names=${2:-DNS:redis,DNS:redis.aybiza.svc,DNS:localhost,IP:127.0.0.1}
umask 077
mkdir -p "$folder"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 730 -subj "/CN=aybiza Redis authority" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" \
  -keyout "$made/authority.key" -out "$made/redis-authority.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=redis" \
  -keyout "$made/redis.key" -out "$made/redis.csr" 2>/dev/null
printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n%s\n%s\n' "$names" \
  'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' > "$made/extensions"
openssl x509 -req -in "$made/redis.csr" -CA "$made/redis-authority.pem" -CAkey "$made/authority.key" -days 730 \
  -extfile "$made/extensions" -out "$made/redis.pem" 2>/dev/null
chmod 644 "$made/redis-authority.pem" "$made/redis.pem"
mv "$made/redis-authority.pem" "$made/redis.pem" "$made/redis.key" "$folder/"
echo "$folder: redis-authority.pem redis.pem redis.key"
