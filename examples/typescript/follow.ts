// Follows a plan live and prints each of its events as one line of JSON.
//
//     AGENT_TOKEN=… npm start --silent -- http://127.0.0.1:8000 1
import WebSocket from "ws";

type PlanEvent = { event: string; seq: number; status?: string };
type Answer = { type: "subscribed" } | { type: "error"; detail: string };

const [server, plan] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${process.env.AGENT_TOKEN}` };
const endings = ["completed", "failed", "cancelled"];
let last = 0;
let ended = false;

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}

function follow(): void {
  const socket = new WebSocket(`${server.replace("http", "ws")}/ws/follow.ts`, { headers });
  // The server pings every 20 s: where nothing comes for longer, the connection is dead though nobody said so.
  const silence = setTimeout(() => socket.terminate(), 45_000);
  socket.on("ping", () => silence.refresh());
  socket.on("open", () =>
    socket.send(JSON.stringify({ action: "subscribe", topic: `plan_${plan}`, after: last })));
  socket.on("message", (data) => {
    if (ended) return; // what was under way when it ended
    const message: PlanEvent | Answer = JSON.parse(data.toString());
    if ("event" in message) {
      console.log(JSON.stringify(message));
      last = message.seq;
      ended = message.event === "plan_updated" && endings.includes(message.status ?? "");
      if (ended) socket.close();
    } else if (message.type === "error") fail(`refused: ${message.detail}`);
  });
  socket.on("unexpected-response", (_, { statusCode = 0 }) =>
    statusCode < 500 ? fail(`refused with ${statusCode}`) : socket.terminate());
  socket.on("error", (error) => console.error(error.message)); // "close" follows
  socket.on("close", (code) => {
    clearTimeout(silence);
    if (ended) return;
    if (code === 1000) fail("the server closed the connection before the plan ended");
    console.error(`lost with ${code} after event ${last}`);
    setTimeout(follow, 1_000 * Math.random()); // so that not everybody is back at the same moment
  });
}

follow();
