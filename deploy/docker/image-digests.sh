#!/bin/sh
# deploy/docker/image-digests.sh
# Each image of the Dockerfile and the composition with the digest that its registry has for it today, to be
# written in its place: image:version@sha256:…
set -eu
cd "$(dirname "$0")"
for image in $(sed -n -e 's/^FROM \([^ ]*\).*/\1/p' -e 's/^ *image: *//p' Dockerfile compose.yaml | sort -u); do
  name=${image%@*}
  digest=$(docker buildx imagetools inspect "$name" --format '{{.Manifest.Digest}}')
  echo "$name@$digest"
done
