/** What becomes of changes that somebody else made: repaired, told or left, as the virtual server says. */
import type { Mirror } from "./mirror.ts";
import { planFor, subject, subjectOfOperation, wishes } from "./plan.ts";
import type { Roster } from "./roster.ts";
import type { Drift } from "./survey.ts";
import { serviceText } from "./text.ts";
import type { Unit } from "./unit.ts";
import type { CoreEvent } from "./virtual-server.ts";

export class DriftDesk {
  readonly #roster: Roster;
  readonly #mirror: Mirror;
  readonly #tell: (event: CoreEvent) => void;
  #found = 0;
  #repaired = 0;
  #last: string | null = null;

  constructor(roster: Roster, mirror: Mirror, tell: (event: CoreEvent) => void) {
    this.#roster = roster;
    this.#mirror = mirror;
    this.#tell = tell;
  }

  get counted(): { readonly found: number; readonly repaired: number; readonly last: string | null } {
    return { found: this.#found, repaired: this.#repaired, last: this.#last };
  }

  /** The file was read anew: until the table has been looked at, what is to be reported only is put right as well. */
  applying = false;

  /** Returns those of which the file is applied again. */
  reread(): readonly Unit[] {
    const report = ({ parameters: { onDrift } }: Unit) => onDrift === "report";
    // What was refused is tried at once.
    const units = [...this.#roster].filter((unit) => unit.doubt || report(unit));
    for (const unit of units) if (report(unit)) unit.accepted.clear();
    this.applying = units.length > 0 || this.applying;
    return units;
  }

  /** Returns the virtual servers that have to be looked after. */
  receive(drifts: readonly Drift[]): ReadonlySet<Unit> {
    const units = new Set<Unit>();
    for (const drift of drifts) {
      const unit = this.#roster.byService(serviceText(drift.service));
      if (unit === undefined) continue;
      units.add(unit);
      const { onDrift } = unit.parameters;
      if (onDrift === "repair" || (onDrift === "report" && this.applying)) unit.drifts = [...unit.drifts, drift];
      else {
        accept(unit, drift, this.#mirror);
        if (onDrift === "report") this.#report(unit, drift, false);
      }
    }
    return units;
  }

  /** It was brought to what is wanted, or that was refused. */
  settled(unit: Unit, refusal: string | undefined): void {
    for (const drift of unit.drifts) this.#report(unit, drift, refusal === undefined);
    unit.drifts = [];
  }

  #report({ parameters }: Unit, { service, differences }: Drift, repaired: boolean): void {
    for (const { destination, message } of differences) {
      this.#found++;
      if (repaired) this.#repaired++;
      const what = destination === undefined ? serviceText(service) : `${serviceText(service)}: ${destination}`;
      this.#last = `${what}: ${message}`;
      this.#tell({ type: "drift", virtual_server: parameters.name, repaired, message: this.#last });
    }
  }
}

/** What would undo the change is not done, until something else is wanted there than was wanted when it was made. */
function accept(unit: Unit, { service, differences }: Drift, mirror: Mirror): void {
  if (unit.decision === undefined) return;
  const name = serviceText(service);
  const changed = new Set(differences.map(({ destination }) => subject(name, destination)));
  const { giving, taking } = planFor(unit, unit.decision, mirror);
  const wanted = wishes(unit, unit.decision);
  for (const operation of [...giving, ...taking]) {
    const of = subjectOfOperation(operation);
    if (changed.has(of)) unit.accepted.set(of, wanted.get(of) ?? "");
  }
}
