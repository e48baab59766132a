// The same as stream.py, as a page or a Node server does it: fetch, FormData, and lines from a reader.
const headers = { "X-API-Key": process.env.CONVAI_API_KEY };
let conversation = null;

async function talk(text) {
  const form = new FormData();
  form.append("character_id", process.env.CHARACTER_ID);
  form.append("text_input", text);
  if (conversation) form.append("character_session_id", conversation);

  const response = await fetch("https://live.convai.com/connect/stream", { method: "POST", headers, body: form });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines.filter((line) => line.startsWith("data: "))) {
      const event = JSON.parse(line.slice(6));
      if (event.type === "connection-started") conversation = event.message.character_session_id;
      if (event.type === "bot-llm-text") process.stdout.write(event.data.text);
    }
  }
  process.stdout.write("\n");
}

await talk("My name is Alice.");
await talk("What is my name?");
