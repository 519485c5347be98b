// A host of the farm, a server and a client in one: it does what it is told over the channel to the test.
// As a server it says its name, over TCP at once and then each line back; over UDP and HTTP it answers with it.
import { createSocket } from "node:dgram";
import { createServer as createHttp } from "node:http";
import { connect, createServer } from "node:net";

const [name = "peer"] = process.argv.slice(2);
const servers = new Map();
const flows = new Map();
const loops = new Map();
/** What a server answers over HTTP. */
let status = 200;

const actions = {
  async listen({ kind, port, address }) {
    const server = kind === "udp" ? udpServer() : kind === "http" ? httpServer() : tcpServer();
    await new Promise((resolve, reject) => {
      server.once("error", reject);
      if (kind === "udp") server.bind(port, address, resolve);
      else server.listen({ port, host: address, backlog: 1024 }, resolve);
    });
    servers.set(`${kind}:${port}`, server);
  },

  /** Nothing listens any more and every connection is over. */
  async close({ kind, port }) {
    const server = servers.get(`${kind}:${port}`);
    servers.delete(`${kind}:${port}`);
    for (const socket of server.connections ?? []) socket.resetAndDestroy();
    await new Promise((resolve) => server.close(resolve));
  },

  async answer({ code }) {
    status = code;
  },

  /** Who answers a connection of its own. */
  async ask({ kind, address, port, timeout }) {
    return kind === "udp" ? askUdp(address, port, timeout) : askTcp(address, port, timeout);
  },

  /** Asks again and again, one after the other, until it is told to stop. */
  async loop({ id, kind, address, port, pause }) {
    const counts = {};
    const loop = { running: true, counts };
    const one = kind === "udp" ? askUdp : askTcp;
    loop.done = (async () => {
      while (loop.running) {
        const who = await one(address, port, 5_000).catch((error) => error.code ?? error.message);
        counts[who] = (counts[who] ?? 0) + 1;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    })();
    loops.set(id, loop);
  },

  async counts({ id }) {
    return loops.get(id).counts;
  },

  async unloop({ id }) {
    const loop = loops.get(id);
    loop.running = false;
    await loop.done;
    return loop.counts;
  },

  /** A connection that stays, with a line each `interval` milliseconds that must come back. */
  async flow({ id, address, port, interval }) {
    const flow = { server: undefined, sent: 0, returned: 0, ended: undefined };
    const socket = connect({ host: address, port });
    flow.socket = socket;
    await new Promise((resolve, reject) => {
      socket.once("error", reject);
      lines(socket, (line) => {
        if (flow.server !== undefined) flow.returned++;
        else {
          flow.server = line;
          resolve();
        }
      });
    });
    socket.on("error", (error) => {
      flow.ended ??= error.code ?? error.message;
    });
    socket.on("close", () => {
      flow.ended ??= "closed";
      clearInterval(timer);
    });
    const timer = setInterval(() => socket.write(`${++flow.sent}\n`), interval);
    flows.set(id, flow);
    return flow.server;
  },

  async flowState({ id }) {
    const { server, sent, returned, ended } = flows.get(id);
    return { server, sent, returned, ended };
  },

  async endFlow({ id }) {
    const { socket } = flows.get(id);
    await new Promise((resolve) => {
      socket.once("close", resolve);
      socket.destroy();
    });
  },
};

function tcpServer() {
  const connections = new Set();
  const server = createServer({ noDelay: true }, (socket) => {
    connections.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => connections.delete(socket));
    socket.write(`${name}\n`);
    lines(socket, (line) => socket.write(`${line}\n`));
  });
  server.connections = connections;
  return server;
}

function udpServer() {
  const server = createSocket("udp4");
  server.on("message", (_, from) => server.send(`${name}\n`, from.port, from.address));
  return server;
}

function httpServer() {
  return createHttp({ keepAliveTimeout: 100 }, (_, answer) => {
    answer.writeHead(status, { connection: "close" });
    answer.end(`${name}\n`);
  });
}

function lines(socket, take) {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop();
    for (const part of parts) take(part);
  });
}

function askTcp(address, port, timeout) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(coded("TIMEOUT")), timeout);
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      reject(coded("CLOSED"));
    });
    lines(socket, (line) => {
      resolve(line);
      socket.end();
    });
  });
}

function askUdp(address, port, timeout) {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const finish = (act, value) => {
      clearTimeout(timer);
      socket.close();
      act(value);
    };
    const timer = setTimeout(() => finish(reject, coded("TIMEOUT")), timeout);
    socket.on("error", (error) => finish(reject, error));
    socket.on("message", (data) => finish(resolve, data.toString().trim()));
    // Connected, so that a refusal arrives as an error.
    socket.connect(port, address, () => socket.send("?\n"));
  });
}

function coded(code) {
  return Object.assign(new Error(code), { code });
}

process.on("message", async ({ request, action, ...options }) => {
  try {
    process.send({ request, value: await actions[action](options) });
  } catch (error) {
    process.send({ request, error: error.code ?? error.message });
  }
});
// With its test.
process.on("disconnect", () => process.exit(0));
process.send({ ready: true });
