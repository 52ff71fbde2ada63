#include "alknet/runtime/import_scan.h"

#include <gtest/gtest.h>

namespace alknet::runtime {
namespace {

std::vector<std::string> specifiers(std::string_view source) {
  std::vector<std::string> all;
  for (const ImportSite& site : scan_imports(source)) all.push_back(site.specifier);
  return all;
}

using Specifiers = std::vector<std::string>;

TEST(ScanImports, FindsEveryFormOfImport) {
  EXPECT_EQ(specifiers(R"(import "./a.ts"; import b from './b.ts';
    import * as c from "./c.ts"; import d, { e as f } from "./d.ts"; export { g } from "./e.ts"; export * from"./f.ts";
    import type { T } from "./g.ts"; const h = await import("./h.ts"); import(`./i.ts`);
    import j from "./j.json" with { type: "json" };)"),
            (Specifiers{"./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "./h.ts", "./i.ts",
                        "./j.json"}));
}

TEST(ScanImports, LooksBehindCommentsAndLineEnds) {
  EXPECT_EQ(specifiers("import {\n a,\n}\nfrom // why\n  \"./a.ts\"; import /* x */ ( /* y */ './b.ts' )"),
            (Specifiers{"./a.ts", "./b.ts"}));
}

TEST(ScanImports, LeavesOutWhatIsNoWordOrNoFixedText) {
  EXPECT_EQ(specifiers("transform('x'); $import('y'); fromage \"z\"; import(name); import(`./${name}`); "
                       "import.meta.url; from 'a\\u0062'; import 'open"),
            Specifiers{});
  EXPECT_EQ(specifiers(""), Specifiers{});
  EXPECT_EQ(specifiers("import"), Specifiers{});
  EXPECT_EQ(specifiers("import ("), Specifiers{});
  EXPECT_EQ(specifiers("from /* never ends"), Specifiers{});
}

TEST(ScanImports, SaysWhere) {
  const auto sites = scan_imports("\n\nimport \"./a.ts\";\n  export * from './b.ts';");
  ASSERT_EQ(sites.size(), 2U);
  EXPECT_EQ(sites[0].at, (TextPosition{3, 8}));
  EXPECT_EQ(sites[1].at, (TextPosition{4, 17}));
}

}  // namespace
}  // namespace alknet::runtime
