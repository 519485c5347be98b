/** `type: tcp`: a connection can be opened, perhaps with TLS, and perhaps what is said over it is answered as is expected. */
import { type CheckType, type Outcome, whyAborted } from "./check-type.ts";
import { converse } from "./conversation.ts";
import { formatTarget } from "./datagram.ts";
import { openStream, type StreamTarget } from "./open-stream.ts";
import { overTls, type Service, secureFirst } from "./service.ts";
import { errorOf, undecidedBy, whySystem } from "./system-failure.ts";
import { type Step, takeSteps } from "./tcp-steps.ts";
import { failedThrough, targetThrough, throughText, type Via } from "./via.ts";

export interface TcpParameters extends Service {
  readonly type: "tcp";
  /** With TLS: the server has to choose one of these (ALPN). */
  readonly alpn?: readonly string[];
  readonly steps?: readonly Step[];
  /** Neither TLS nor steps then. */
  readonly via?: Via;
}

export const tcp: CheckType<TcpParameters> = {
  probe(parameters, signal) {
    const { tls, steps, via } = parameters;
    if (via !== undefined) return connectThrough(via, parameters, signal);
    return tls === undefined && steps === undefined
      ? connect(parameters, formatTarget(parameters), signal)
      : talk(parameters, signal);
  },
};

async function connectThrough(via: Via, parameters: TcpParameters, signal: AbortSignal): Promise<Outcome> {
  const what = `${formatTarget(parameters)} ${throughText(via)}`;
  try {
    return failedThrough(via, await connect(await targetThrough(via, parameters.source), what, signal));
  } catch (error) {
    return { ok: false, reason: `connect ${what}: ${whySystem(error)}`, ...undecidedBy(error) };
  }
}

/** Nothing is sent. */
function connect(target: StreamTarget, what: string, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (outcome: Outcome): void => {
      signal.removeEventListener("abort", onAbort);
      stream.close();
      resolve(outcome);
    };
    const fail = (why: Error): void =>
      end({ ok: false, reason: `connect ${what}: ${why.message}`, ...undecidedBy(why) });
    const onAbort = (): void => fail(new Error(whyAborted(signal)));
    const stream = openStream(target, {
      opened: () => end({ ok: true, reason: `connected to ${what}` }),
      data() {},
      ended: (errno) => fail(errorOf(errno)),
    });
    signal.addEventListener("abort", onAbort);
  });
}

function talk(parameters: TcpParameters, signal: AbortSignal): Promise<Outcome> {
  const { alpn = [], steps = [] } = parameters;
  return converse("tcp", parameters, signal, async (peer) => {
    await secureFirst(peer, parameters, alpn);
    await takeSteps(peer, steps, formatTarget(parameters));
    const expected = steps.filter((step) => step.do === "expect").length;
    return `${expected === 0 ? "connected" : "answered as expected"}${overTls(peer)}`;
  });
}
