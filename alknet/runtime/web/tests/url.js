// URL and URLSearchParams, against Node's.
(() => {
  const { test, testHere, equal, thrown } = harness;
  const kParts = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
  const partsOf = (input, base) => {
    try {
      const url = base === undefined ? new URL(input) : new URL(input, base);
      return kParts.map((part) => url[part]);
    } catch (error) {
      return [error.name, error.code, error.input, error.message];
    }
  };

  const kInputs = [
    "http://example.com", "HTTP://EXAMPLE.com:80/../a/./b/../c", "https://user:pass@host:8080/path?query=1#frag", "http://user@/www.example.com", "http://user:@host", "http://:b@host", "https://@host",
    "http://a:b@c:29/d", "http::@c:29", "http:a:b@c:29/d", "http://foo.com:b@d/", "foo:/", "foo://", "foo:///", "foo:////a", "foo:a b", "foo://host:99999/", "foo://ho st/", "foo://h%20st/", "foo:/.//p", "foo:/..//p", "web+demo:/.//not-a-host/",
    "mailto:a@b.c", "javascript:alert(1)", "data:  ", "blob:https://a.b/uuid", "blob:x", "file:///etc/passwd", "file://host/share", "file:c:\\foo\\bar", "file:///C|/x", "file://localhost/a", "file:///./..", "file:", "file:/a/C:/..",
    "http://1.2.3", "http://0x7f.1", "http://0300.168.0.257", "http://256.256.256.256", "http://4294967296", "http://1.2.3.4.5", "http://[::1]", "http://[1:2:0:0:5:0:0:0]", "http://[::127.0.0.1]", "http://[::1%eth0]", "http://[:::]", "http://[1::2::3]", "http://1.", "http://0.0.0.0.", "http://foo.0x4", "http://foo.09..",
    "http://münchen.de", "http://xn--mnchen-3ya.de", "http://☃.net", "http://ß.example", "http://日本語.jp", "http://EXAMPLE。com", "http://a­b.c", "http://a b/", "http://a%00b/", "http://a<b", "http://a^b", "http://%41.com", "http://%ef%bc%85%ef%bc%94%ef%bc%91.com", "http://ho%20st", "http://-a.b", "http://a..b", "http://.", "http://..", "https://a_b.c",
    "http://h:0", "http://h:65535", "http://h:65536", "http://h:", "http://h:00080", "https://h:443", "wss://h:443", "ws://h:80", "ftp://h:21", "http://h:a",
    "http://h/%", "http://h/%2", "http://h/%zz", "http://h/%7e%41", "http://h/a%2fb", "http://h/a\\b", "http://h/?'\"<>`", "http://h/#'\"<>`", "foo://h/?'", "http://h/é?é#é", "http://h/\ud800?\udfff#\ud83d\ude00", "http://h/%2e/%2E%2e/x/%2e", "http://h/a/..;/b", "http://h//a//../b", "http://h?#", "http://h?", "http://h#", "http://h/?a#b?c#d",
    " \t http://h/ \n", "ht\ntp://h\t/a\rb", "\u0000http://h", "http://h/\u0000", "http://h/\u007f", "", " ", "//h/p", "/p", "p", "?q", "#f", "http:", "http:/", "http://", "http:///", "http:h", "http:/h/p", "https:\\\\h\\p", "1http://h", "-a:b", "a+b-c.1:x", "é:x", "::", ":a", "http://a@b@c/", "http://a:b:c@d/", "http://a@b:c@d/", "http://a;b@c", "http://a/b@c", "http://a[b]@c", "http://a|b:c^d@e/",
    "non-special://[::1]:8/p?q#f", "git+ssh://u@h/p", "urn:isbn:0451450523", "about:blank", "about:blank?a#b", "view-source:http://h", "x:?", "x:#", "x:/?", "http://host/p/a/t/h?query=\u00ff", "http://www.example.com:8080/%C3%A9", "http://u:p%40w@h", "http://h/;a=b;c", "http://h/a b?c d#e f",
  ];
  // Where the standard, or its reading, changed after Node 20.
  const kNewer = { "data:text/plain,hello world  #x ": "data:text/plain,hello world %20#x", "http://xn--/": "http://xn--/", "http://xn--a": "http://xn--a/", "http://h/ \"<>`{}|^": "http://h/%20%22%3C%3E%60%7B%7D|%5E", "non-special:opaque  ?q": "non-special:opaque %20?q", "non-special:opaque  #f": "non-special:opaque %20#f", "ssh://h:22/..": "ssh://h:22/" };
  for (const [input, href] of Object.entries(kNewer)) testHere(`new URL(${JSON.stringify(input)})`, () => equal(new URL(input).href, href));
  const kBases = ["http://base.test/dir/file?query#hash", "file:///dir/file", "foo:opaque", "foo://host/dir/x", "https://u:p@h:8/a/b"];
  const kRelative = ["", "x", "./x", "../x", "../../../x", "/x", "//x/y", "///x", "?q", "#f", "x?y#z", ".", "..", "./", "../", "http:x", "http:/x", "https:x", "file:x", "foo:x", "C|/x", "/C|/x", "\\x", "\\\\x\\y", "x:y", ":x", "a/./b/../c", "%2e%2e/x", "//", "?", "#", " x ", "mailto:x", "//h:p", "//[", "/..//x", "..//x"];

  for (const input of kInputs) test(`new URL(${JSON.stringify(input)})`, () => [partsOf(input), URL.canParse(input)]);
  for (const base of kBases) test(`relative to ${base}`, () => kRelative.filter((input) => base !== "foo:opaque" || input !== "x?y#z").map((input) => partsOf(input, base)));
  test("a bad base", () => [partsOf("http://h", "bad"), partsOf("x", ""), URL.canParse("x", "http://h"), URL.canParse("x", "y")]);

  const kSet = {
    href: ["https://x.y/z?a#b", "bad", ""],
    protocol: ["https", "ftp:", "foo", "file", "htt\np", "1a", "", "ws:rest"],
    username: ["me", "", "a:b@c", "é"],
    password: ["pw", "", "a:b@c"],
    host: ["x.y", "x.y:81", "x.y:", "", "[::1]:5", "a b", "x/y", "x?y", "u@x", "x:65536", "1.2"],
    hostname: ["x.y", "x.y:81", "", "[::1", "x#y", "é.b"],
    port: ["81", "", "80", "443", "65536", "9x", "08", "-1", 8080],
    pathname: ["a", "/a/../b", "", "?x", "a b#c", "//x", "\\a", "é"],
    search: ["a=b", "?a", "", "??", "a#b", "é '\"<>"],
    hash: ["a", "#b", "", "##", "a b`é", "\0"],
  };
  const kStart = ["http://user:pw@host:8/dir/file?q=1#h", "https://h", "file:///a/b", "foo:opaque", "foo://h/p", "data:text,x#f"];
  for (const [part, values] of Object.entries(kSet)) {
    test(`setting ${part}`, () => kStart.map((start) => values.map((value) => {
      const url = new URL(start);
      try {
        url[part] = value;
      } catch (error) {
        return [error.name, url.href];
      }
      return kParts.map((key) => url[key]);
    })));
  }
  test("origin cannot be set", () => {
    const url = new URL("http://h");
    return [thrown(() => { "use strict"; url.origin = "x"; }), url.origin];
  });
  test("toString, toJSON and String", () => {
    const url = new URL("http://h/a b");
    return [url.toString(), url.toJSON(), `${url}`, JSON.stringify({ url })];
  });
  test("the form of URL", () => [
    Object.prototype.toString.call(new URL("a:")), URL.length, URL.name, Object.keys(URL.prototype).sort(), thrown(() => URL("a:")), thrown(() => new URL()), thrown(() => Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call({})),
  ]);
  testHere("URL.parse gives null", () => {
    equal([URL.parse("bad"), URL.parse("http://h").href, URL.parse("x", "http://h").href], [null, "http://h/", "http://h/x"]);
  });
  test("searchParams and search follow each other", () => {
    const url = new URL("http://h/?a=1&b=2#h");
    const { searchParams } = url;
    const log = [];
    searchParams.append("c", "3 & é");
    log.push(url.href);
    url.search = "?x=y&x=z";
    log.push([...searchParams], url.searchParams === searchParams);
    searchParams.delete("x");
    log.push(url.href);
    url.href = "http://other/?n=1";
    log.push(searchParams.get("n"));
    searchParams.sort();
    log.push(url.href);
    return log;
  });

  const kForms = ["", "?", "a", "a=", "=a", "=", "&", "a=b&c=d", "?a=b", "a=b=c", "a+b=c+d", "a%20b=%26", "%", "%2", "%zz=%", "é=ü", "a=%C3%A9", "a=%ff", "a=%F0%9F", "a&a&b", "&&a=1&&", "a=\ud800", "+=+", "%2B=+", "a[]=1&a[]=2", "??a=b", "a=b#c", "\0=\n", "*-._~!'()=;/:@$,"];
  for (const form of kForms) test(`new URLSearchParams(${JSON.stringify(form)})`, () => {
    const params = new URLSearchParams(form);
    return [[...params], params.toString(), params.size];
  });
  test("from other things", () => [
    [...new URLSearchParams({ a: 1, b: "x", c: null })],
    [...new URLSearchParams([["a", 1], new Set(["b", 2])])],
    [...new URLSearchParams(new Map([["k", "v"]]))],
    [...new URLSearchParams(new URLSearchParams("a=1&a=2"))],
    [...new URLSearchParams(undefined)], [...new URLSearchParams(5)],
    thrown(() => new URLSearchParams([["a"]])), thrown(() => new URLSearchParams([["a", "b", "c"]])), thrown(() => new URLSearchParams([1])), thrown(() => new URLSearchParams({ [Symbol.iterator]: 1 })),
  ]);
  test("methods", () => {
    const params = new URLSearchParams("a=1&b=2&a=3");
    const log = [params.get("a"), params.get("x"), params.getAll("a"), params.has("b"), params.has("a", "3"), params.has("a", "2")];
    params.set("a", 9);
    log.push(params.toString());
    params.set("new", "n");
    params.delete("b", "no");
    params.delete("a");
    log.push(params.toString(), thrown(() => params.append("x")), thrown(() => params.get()), thrown(() => params.has()));
    return log;
  });
  test("sort is stable and by UTF-16 units", () => {
    const params = new URLSearchParams("z=1&\ufb03=2&\u{1f308}=3&a=1&z=0&a=2");
    params.sort();
    return [...params];
  });
  test("iterating while it changes", () => {
    const params = new URLSearchParams("a=1&b=2&c=3");
    const seen = [];
    for (const [key] of params) {
      seen.push(key);
      params.delete(key);
    }
    return [seen, params.toString()];
  });
  test("iterators", () => {
    const params = new URLSearchParams("a=1&b=2");
    const calls = [];
    params.forEach(function (value, key, all) { calls.push([key, value, all === params, this.t]); }, { t: 1 });
    const iterator = params.entries();
    return [[...params.keys()], [...params.values()], calls, iterator.next(), Object.prototype.toString.call(iterator), iterator[Symbol.iterator]() === iterator, thrown(() => iterator.next.call({})), thrown(() => params.forEach()), params[Symbol.iterator] === params.entries, URLSearchParams.name, URLSearchParams.length];
  });
  test("a getter that changes the list while it is read", () => {
    const init = { get a() { delete init.b; return "1"; }, b: "2" };
    return [...new URLSearchParams(init)];
  });
  test("many pairs", () => {
    const params = new URLSearchParams();
    for (let i = 0; i < 2000; i++) params.append(`k${i}`, "é");
    return [params.toString().length, params.size];
  });
})();
