// Keeps N plans in flight through the ingress and prints how many steps a second are done.
//
//   node drive.mjs INGRESS_URL PLANS_AT_ONCE
import http from "node:http";

const WARM_UP_MS = 2_000;
const MEASURED_MS = 5_000;
// A plan that takes longer means that something is broken, and the benchmark is to end.
const PLAN_TIMEOUT_MS = 30_000;

const [ingress, plans] = process.argv.slice(2);
const plansAtOnce = Number(plans);
// http.Agent, not fetch(): the driver shares the machine with what it measures, so it should cost little.
const agent = new http.Agent({ keepAlive: true, maxSockets: plansAtOnce });

/** Runs one plan to its end; how many steps that were. */
function runPlan() {
  return new Promise((resolve, reject) => {
    const options = { agent, method: "POST", timeout: PLAN_TIMEOUT_MS };
    const request = http.request(`${ingress}/steps/plan`, options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (body += chunk));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Number(body));
        else reject(new Error(`${response.statusCode}: ${body}`));
      });
    });
    request.on("timeout", () => request.destroy(new Error("a plan did not end")));
    request.on("error", reject);
    request.end();
  });
}

let done = 0;
let stopping = false;

async function keepRunning() {
  while (!stopping) {
    // Not `done += await ...`, which would read `done` before the plan runs and lose what the others add meanwhile.
    const steps = await runPlan();
    done += steps;
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const running = Promise.all(Array.from({ length: plansAtOnce }, keepRunning));
const measured = (async () => {
  await sleep(WARM_UP_MS);
  const [before, started] = [done, performance.now()];
  await sleep(MEASURED_MS);
  const rate = (done - before) / ((performance.now() - started) / 1_000);
  stopping = true;
  return rate;
})();
const [rate] = await Promise.all([measured, running]);
console.log(`Restate ${plansAtOnce} plans at once: ${rate.toFixed(0)} steps/s`);
agent.destroy();
