#!/usr/bin/env node
// What npm links as `cardwright`. An older Node must be able to read this file, so that it can say what is wrong.
"use strict";

var nodeMajorWanted = 24;

/**
 * Compiling the TypeScript takes most of a start: 0.46 s of CPU without a cache, 0.16 s with one. It lies in the user's own cache
 * folder, since what others can write there would be run with the user's secrets.
 */
function keepCompiledCode() {
  var path = require("node:path");
  var caches = process.env["XDG_CACHE_HOME"] || "";
  var home = path.isAbsolute(caches) ? caches : path.join(require("node:os").homedir(), ".cache");
  require("node:module").enableCompileCache(path.join(home, "cardwright"));
}

if (Number(process.versions.node.split(".")[0]) < nodeMajorWanted) {
  process.stderr.write(
    "cardwright runs on Node " +
      nodeMajorWanted +
      ", and this is Node " +
      process.versions.node +
      ". In a clone of the repository npm brings the right one: run npm install, then npx cardwright.\n",
  );
  process.exit(1);
} else {
  keepCompiledCode();
  void import("../src/main.ts");
}
