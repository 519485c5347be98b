/** Events as server-sent events (WHATWG HTML section 9.2): id, type and one line of JSON each. */
import type { EventLog, NumberedEvent } from "./event-log.ts";

/** Text kept for a reader that does not keep up; one that falls further behind is dropped and may come back with its last id. */
const maxBehind = 1024 * 1024;
/** A comment line now and then, so that both ends notice a dead connection. */
const keepAlive = 15_000;

const encoder = new TextEncoder();

export function formatEvent({ id, event }: NumberedEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function eventStream(log: EventLog, since: number, stop: AbortSignal): Response {
  let end = () => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) < 0) close();
        };
        const close = () => {
          end();
          controller.close();
        };
        const beat = setInterval(() => send(": still here\n\n"), keepAlive).unref();
        const unsubscribe = log.subscribe((event) => send(formatEvent(event)));
        stop.addEventListener("abort", close);
        end = () => {
          clearInterval(beat);
          unsubscribe();
          stop.removeEventListener("abort", close);
        };
        // Sent even with no event to tell: the reader learns that it is connected.
        send(`: viprd\n\n${log.since(since).map(formatEvent).join("")}`);
      },
      cancel() {
        end();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: maxBehind }),
  );
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}
