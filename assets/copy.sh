#!/usr/bin/env bash
# Copies what the pages use out of assets/node_modules into the package ($1), byte by byte, with the licences.
set -euo pipefail
cd "$(dirname "$0")"
to=${1:-../src/farebox/http/web/static/vendor}
mkdir -p "$to/qr" "$to/icons" "$to/dejavu"
cp node_modules/qr/{decode.js,index.js,LICENSE-MIT} "$to/qr/"
cp node_modules/lucide-static/LICENSE "$to/icons/"
cp node_modules/dejavu-fonts-ttf/{LICENSE,ttf/DejaVuSans.ttf} "$to/dejavu/"
for icon in activity arrow-left check download history key-round landmark log-out plug plus qr-code receipt scan-qr-code \
  send shield-alert shield-check triangle-alert user wallet x; do
  cp "node_modules/lucide-static/icons/$icon.svg" "$to/icons/"
done
