{{#wide}}
fn add_sum(sum: {{scalar}}, more: {{scalar}}) -> {{scalar}} { return i64_add(sum, more); }
fn add_product(sum: {{scalar}}, a: {{scalar}}, b: {{scalar}}) -> {{scalar}} { return i64_add(sum, i64_mul(a, b)); }
{{/wide}}
{{^wide}}
fn add_sum(sum: {{scalar}}, more: {{scalar}}) -> {{scalar}} { return sum + more; }
fn add_product(sum: {{scalar}}, a: {{scalar}}, b: {{scalar}}) -> {{scalar}} { return sum + a * b; }
{{/wide}}
