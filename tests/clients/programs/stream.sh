# Says something to a character and shows the events as they come.
set -eu

curl -sS -X POST https://live.convai.com/connect/stream \
    -H "X-API-Key: $CONVAI_API_KEY" \
    -F "character_id=$CHARACTER_ID" \
    -F "text_input=My name is Alice." \
    --no-buffer
