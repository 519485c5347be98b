/** What a check says about a server beyond up and down. Pure. */
export interface Advice {
  /** Of the weight in the file. */
  readonly weightPercent?: number;
  /** In place of the weight in the file. */
  readonly weight?: number;
  /** Added to the weight, which does not fall below 0 by it. */
  readonly weightOffset?: number;
  readonly mode?: "ready" | "drain" | "maint";
  /** In place of the upper threshold in the file. */
  readonly maxConnections?: number;
}

/** What is in force after `said`, which leaves alone what it does not speak of. */
export function mergeAdvice(before: Advice | undefined, said: Advice | undefined): Advice | undefined {
  if (said === undefined || before === undefined) return said ?? before;
  const { mode, maxConnections } = before;
  const kept = {
    ...(mode === undefined ? {} : { mode }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
  // Each of the weights takes the place of all.
  const weighs = said.weight ?? said.weightPercent ?? said.weightOffset;
  return weighs === undefined ? { ...before, ...said } : { ...kept, ...said };
}

export function sameAdvice(a: Advice | undefined, b: Advice | undefined): boolean {
  return (
    a?.weightPercent === b?.weightPercent &&
    a?.weight === b?.weight &&
    a?.weightOffset === b?.weightOffset &&
    a?.mode === b?.mode &&
    a?.maxConnections === b?.maxConnections
  );
}

/** "drain, weight 75 %, at most 30 connections" */
export function describeAdvice(advice: Advice | undefined): string {
  const { weightPercent, weight, weightOffset, mode, maxConnections } = advice ?? {};
  const parts = [
    ...(mode === undefined ? [] : [mode]),
    ...(weightPercent === undefined ? [] : [`weight ${weightPercent} %`]),
    ...(weight === undefined ? [] : [`weight ${weight}`]),
    ...(weightOffset === undefined ? [] : [`weight ${weightOffset < 0 ? "" : "+"}${weightOffset}`]),
    ...(maxConnections === undefined ? [] : [`at most ${maxConnections} connections`]),
  ];
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
