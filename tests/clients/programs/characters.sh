# Makes a character, changes it, and looks it up.
set -eu

ask() {
    curl -sS --location --request POST "$1" \
        --header "CONVAI-API-KEY: $CONVAI_API_KEY" \
        --header 'Content-Type: application/json' \
        --data-raw "$2"
}

made=$(ask 'https://api.convai.com/character/create' '{
    "charName": "Ada",
    "voiceType": "FEMALE",
    "backstory": "She doesn'\''t like noise."
}')
character=$(printf '%s' "$made" | sed 's/.*"charID":"\([^"]*\)".*/\1/')
ask 'https://api.convai.com/character/update' "{\"charID\": \"$character\", \"charName\": \"Ada Byron\"}"
echo
ask 'https://api.convai.com/character/get' "{\"charID\": \"$character\"}" | grep -o '"backstory":"[^"]*"'
ask 'https://api.convai.com/character/get' '{"charName": "Ada Byron"}' | grep -o '"character_name":"[^"]*"'
