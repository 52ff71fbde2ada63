import { expand, TemplateError, type ExpandOptions, type ParamDeclaration } from "@alknet/flowgraph";
import { Struct, Tensor, type TensorProps } from "@alknet/layout";
import { h, type Element, type Node } from "@alknet/ujsx";

/** Parameters of a template by name, in declaration order. Throws TemplateError when it cannot be expanded. */
export function parametersOf(template: Node, options: ExpandOptions = {}): readonly ParamDeclaration[] {
  const { params, problems } = expand(template, options);
  if (problems.all.length > 0) throw new TemplateError(problems.all);
  return [...params.values()].filter(({ scope }) => scope === "store");
}

/**
 * The parameters of a template as a layout of `@alknet/layout`: a model's file has one flat entry for each, under its
 * name. Throws TemplateError when the template cannot be expanded.
 */
export function parameterLayout(template: Node, options: ExpandOptions = {}): Element {
  const tensors = parametersOf(template, options).map(({ name, dtype, shape }) =>
    h(Tensor, {
      key: name,
      name,
      dtype: dtype.toUpperCase() as NonNullable<TensorProps["dtype"]>,
      shape: shape as number[],
    }),
  );
  return h(Struct, {}, tensors);
}
