#include "alknet/runtime/import_scan.h"

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(ScanImports, KnowsTheWhiteSpaceOfTheLanguage) {
  EXPECT_EQ(specifiers("\uFEFFimport './a.ts'"), Specifiers{"./a.ts"});
  EXPECT_EQ(specifiers("import\u00A0'./a.ts';\u3000import\v\f\"./b.ts\"; export * from // why\r'./c.ts'"),
            (Specifiers{"./a.ts", "./b.ts", "./c.ts"}));
  EXPECT_EQ(specifiers("\u00E9import './a.ts'"), Specifiers{});
}

TEST(ScanImports, TakesADollarSignForALetter) {
  EXPECT_EQ(specifiers("import a from './$types.ts'; import \"$lib/b.ts\"; import(`./$c.ts`); import(`./${d}.ts`)"),
            (Specifiers{"./$types.ts", "$lib/b.ts", "./$c.ts"}));
}

TEST(ScanImports, MissesNoImportBehindATextThatLooksLikeOne) {
  const Specifiers found =
      specifiers("const a = \"from '\"; import b from './b.ts'; /* from \" */ import './c.ts' /*/*/");
  for (const char* const name : {"./b.ts", "./c.ts"})
    EXPECT_NE(std::find(found.begin(), found.end(), name), found.end()) << name;
}

TEST(ScanImports, LooksAtEachPlaceOfAHostileTextOnce) {
  constexpr std::size_t kBytes = 1 << 20;
  for (const std::string_view part : {"from/*", "from//", "/*from //*/\n", "import(", "from//from\r"}) {
    std::string source;
    while (source.size() < kBytes) source += part;
    EXPECT_TRUE(scan_imports(source).empty()) << part;
    source += "\n'" + std::string(kBytes, 'x') + "'";
    EXPECT_LE(scan_imports(source).size(), 1U) << part;
  }
}

TEST(ScanImports, SaysWhere) {
  const auto sites = scan_imports("\n\nimport \"./a.ts\";\n  export * from './b.ts';");
  ASSERT_EQ(sites.size(), 2U);
  EXPECT_EQ(sites[0].at, (TextPosition{3, 8}));
  EXPECT_EQ(sites[1].at, (TextPosition{4, 17}));
}

}  // namespace
}  // namespace alknet::runtime
