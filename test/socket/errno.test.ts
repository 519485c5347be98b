import { expect, test } from "vitest";
import { AF_PACKET, IPPROTO_VRRP, SOCK_RAW } from "../../src/socket/constants.ts";
import { ErrorNumber, errnoName, SystemError } from "../../src/socket/errno.ts";
import { Socket } from "../../src/socket/socket.ts";
import { asNobody, udp } from "./support.ts";

test.each([
  [1, "EPERM"],
  [11, "EAGAIN"],
  [95, "EOPNOTSUPP"],
  [105, "ENOBUFS"],
  [133, "EHWPOISON"],
  [999, "errno 999"],
  [0, "errno 0"],
])("error number %i is called %s", (errno, name) => {
  expect(errnoName(errno)).toBe(name);
});

test("an error names the operation with its object, the error and what it means", () => {
  const error = new SystemError("bind control socket", ErrorNumber.EADDRINUSE);
  expect(error.message).toBe("bind control socket: EADDRINUSE (address already in use)");
  expect(error).toMatchObject({ code: "EADDRINUSE", errno: 98, operation: "bind control socket", name: "SystemError" });
});

test("an error without plain words is told by its name", () => {
  expect(new SystemError("open x", ErrorNumber.EXDEV).message).toBe("open x: EXDEV");
});

test("a hint about privilege is given for a refusal and for nothing else", () => {
  expect(new SystemError("open x", ErrorNumber.EPERM, "needs CAP_NET_RAW").message).toContain("(needs CAP_NET_RAW)");
  expect(new SystemError("open x", ErrorNumber.EMFILE, "needs CAP_NET_RAW").message).toContain("(too many open files)");
});

test("a raw socket without privilege is refused with the capability that is missing", () => {
  const open = () => Socket.open(2, SOCK_RAW, IPPROTO_VRRP, "raw socket for protocol 112");
  expect(() => asNobody(open)).toThrow("open raw socket for protocol 112: EPERM (needs CAP_NET_RAW)");
  const openPacket = () => Socket.open(AF_PACKET, SOCK_RAW, 0, "packet socket on eth0");
  expect(() => asNobody(openPacket)).toThrow("open packet socket on eth0: EPERM (needs CAP_NET_RAW)");
});

test("an option that the kernel refuses is named", () => {
  const socket = udp();
  expect(() => socket.setOption(1, 9999, 1)).toThrow("set option 1/9999 of test socket: ENOPROTOOPT");
  expect(() => socket.bindToDevice("no-such-if0")).toThrow("bind to device no-such-if0: test socket: ENODEV");
});
