// The plan: ten steps that do nothing, each recorded by the server before the next one starts.
import http2 from "node:http2";
import * as restate from "@restatedev/restate-sdk";

const STEPS = 10;

const steps = restate.service({
  name: "steps",
  handlers: {
    plan: async (ctx) => {
      for (let step = 0; step < STEPS; step += 1) await ctx.run("step", () => 0);
      return STEPS;
    },
  },
});

// restate.serve() would listen on every interface.
const server = http2.createServer(restate.createEndpointHandler({ services: [steps] }));
server.listen(Number(process.env.SERVICE_PORT), "127.0.0.1");
