import { computed, type ReadonlySignal } from "@preact/signals-core";
import type { Node } from "./element.ts";
import type { TemplatePlan } from "./plan.ts";
import { planTemplate, type PlanOptions } from "./planner.ts";
import { TemplateError, type Problem } from "./problem.ts";

/** The plan of a template that changes, or what is wrong with it now. */
export interface LivePlan {
  /** The plan; while there are problems, the last one without. */
  readonly plan: TemplatePlan | undefined;
  readonly problems: readonly Problem[];
}

/**
 * The plan of a template whose signals change: it is made anew when one does that the template read, and takes the
 * parts that are as before from the plan before.
 *
 * @param template draws the template; signals that it reads count
 */
export function livePlan(template: () => Node, options: Omit<PlanOptions, "previous"> = {}): ReadonlySignal<LivePlan> {
  let last: TemplatePlan | undefined;
  return computed(() => {
    const node = template();
    try {
      last = planTemplate(node, { ...options, previous: last });
      return { plan: last, problems: [] };
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return { plan: last, problems: error.problems };
    }
  });
}
