#!/usr/bin/env node
// What npm links as `cardwright`. An older Node must be able to read this file, so that it can say what is wrong.
"use strict";

var nodeMajorWanted = 24;

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
  void import("../src/main.ts");
}
