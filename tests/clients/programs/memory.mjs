// A companion site: it seeds what a player told it, shows what is remembered, and forgets the player.
const headers = { "CONVAI-API-KEY": process.env.CONVAI_API_KEY, "Content-Type": "application/json" };
const character_id = process.env.CHARACTER_ID;

async function call(path, body) {
  const response = await fetch(`https://beta.convai.com${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

const who = { character_id, end_user_id: "player-42" };
await call("/memory/add", { ...who, memories: ["The user's name is Jordan."] });
await call("/memory/add", { ...who, memories: ["The user's name is Jordan Kim."] });
for (const { memory } of (await call("/memory/list", who)).memories) console.log(memory);
console.log((await call("/user/end-users/delete", { end_user_id: "player-42" })).deleted);
console.log((await call("/user/end-users/list", { limit: 200 })).total_count);
