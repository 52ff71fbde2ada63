// What `alknet check` asks about a module: whether the templates that it exports can run.
import { checkTemplate, type Node } from "@alknet/flowgraph";

/** One mistake in a template. */
export interface Finding {
  export: string;
  path: string;
  code: string;
  message: string;
}

/** An element of @alknet/ujsx. */
function isElement(value: unknown): value is Node & object {
  return typeof value === "object" && value !== null && "type" in value && "props" in value && "children" in value;
}

/** The mistakes of all templates that a module exports, and how many there are. */
export function checkTemplates(module: Record<string, unknown>): { templates: number; findings: Finding[] } {
  const templates = Object.entries(module).filter(([, value]) => isElement(value));
  const findings = templates.flatMap(([name, template]) =>
    checkTemplate(template as Node)
      // What a graph cannot hold is run step by step.
      .problems.filter(({ code }) => code !== "not_static")
      .map(({ path, code, message }) => ({ export: name, path, code, message })),
  );
  return { templates: templates.length, findings };
}
