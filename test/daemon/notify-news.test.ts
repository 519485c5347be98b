import { describe, expect, test } from "vitest";
import {
  fifoLine,
  keepalivedArguments,
  type News,
  newsDocument,
  newsEnvironment,
} from "../../src/daemon/notify-news.ts";

const news: News = {
  kind: "instance",
  name: "VI_1",
  state: "active",
  from: "backup",
  to: "active",
  reason: "no advertisement from 192.0.2.11 for 3.41 s",
  priority: 150,
  time: "2026-01-02T03:04:05.678Z",
};
const web = { interface: "eth0", vrid: 51, addresses: ["192.0.2.10/24", "2001:db8::10/64"] };

describe("keepalived's words", () => {
  // As keepalived 2.2.7 writes them to its FIFO.
  test.each<[Partial<News>, string]>([
    [{}, 'INSTANCE "VI_1" MASTER 150\n'],
    [{ state: "backup" }, 'INSTANCE "VI_1" BACKUP 150\n'],
    [{ state: "fault", priority: 1 }, 'INSTANCE "VI_1" FAULT 1\n'],
    [{ state: "stop", priority: 255 }, 'INSTANCE "VI_1" STOP 255\n'],
    [{ kind: "group", name: "G", priority: 0 }, 'GROUP "G" MASTER 0\n'],
  ])("%o", (changes, line) => {
    expect(fifoLine({ ...news, ...changes })).toBe(line);
    expect(keepalivedArguments({ ...news, ...changes })).toEqual(line.trim().replaceAll('"', "").split(" "));
  });
});

test("the document and the environment say the same", () => {
  const document = newsDocument(news, { routerId: "lb1", instance: web });
  expect(document).toEqual({
    version: 1,
    router_id: "lb1",
    kind: "instance",
    name: "VI_1",
    state: "active",
    from: "backup",
    to: "active",
    reason: "no advertisement from 192.0.2.11 for 3.41 s",
    priority: 150,
    time: "2026-01-02T03:04:05.678Z",
    interface: "eth0",
    vrid: 51,
    addresses: ["192.0.2.10/24", "2001:db8::10/64"],
  });
  expect(newsEnvironment(document)).toEqual({
    VIPRD_ROUTER_ID: "lb1",
    VIPRD_KIND: "instance",
    VIPRD_NAME: "VI_1",
    VIPRD_STATE: "active",
    VIPRD_FROM: "backup",
    VIPRD_TO: "active",
    VIPRD_REASON: "no advertisement from 192.0.2.11 for 3.41 s",
    VIPRD_PRIORITY: "150",
    VIPRD_TIME: "2026-01-02T03:04:05.678Z",
    VIPRD_INTERFACE: "eth0",
    VIPRD_VRID: "51",
    VIPRD_ADDRESSES: "192.0.2.10/24 2001:db8::10/64",
  });
});

test("a group has members and no interface", () => {
  const document = newsDocument({ ...news, kind: "group" }, { routerId: "lb1", members: ["a", "b"] });
  expect(document).toMatchObject({ kind: "group", members: ["a", "b"] });
  expect(document).not.toHaveProperty("interface");
  expect(newsEnvironment(document).VIPRD_MEMBERS).toBe("a b");
});
