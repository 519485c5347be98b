/** ldirectord in a namespace, in the foreground. */
import { writeFileSync } from "node:fs";
import type { Namespaces } from "../../support/lab-namespaces.ts";
import { Child } from "../../support/lab-process.ts";

export class Ldirectord {
  readonly child: Child;
  readonly #file: string;

  constructor(namespaces: Namespaces, node: string, directory: string, conf: string) {
    this.#file = `${directory}/${namespaces.name(node)}.cf`;
    writeFileSync(this.#file, conf);
    // Its pid file is named after the configuration.
    const [command, args] = namespaces.enter(node, "ldirectord", "-d", this.#file, "start");
    this.child = new Child(`ldirectord on ${node}`, command, args);
  }

  /** Read again on SIGHUP. */
  reload(conf: string): void {
    writeFileSync(this.#file, conf);
    this.child.signal("SIGHUP");
  }

  async kill9All(): Promise<void> {
    this.child.killTree();
    await this.child.exited;
  }

  async term(): Promise<void> {
    await this.child.stop();
  }
}
