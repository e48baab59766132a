# Lists a character's sessions and shows what was said in one of them.
set -eu

curl -sS -X POST "https://api.convai.com/character/chatHistory/list" \
    -H "CONVAI-API-KEY: $CONVAI_API_KEY" \
    -H "Content-Type: application/json" \
    -d "{\"charID\": \"$CHARACTER_ID\", \"limit\": \"-1\"}"
echo
curl -sS -X POST "https://api.convai.com/character/chatHistory/details" \
    -H "CONVAI-API-KEY: $CONVAI_API_KEY" \
    -H "Content-Type: application/json" \
    -d "{\"charID\": \"$CHARACTER_ID\", \"sessionID\": \"$SESSION_ID\"}"
echo
