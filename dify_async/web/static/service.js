// Requests to the service of this page. Failures have a problem: what is wrong, and what to do.

const UNREACHABLE = {
  what: "The service of this page does not answer.",
  advice: "Check that it is running, and that you are connected.",
  can_retry: true,
  detail: "",
};

class Failure extends Error {
  constructor(problem) {
    super(problem.what);
    this.problem = problem;
  }
}

// The JSON at a path of the service; failures have a problem.
export async function get(path) {
  let answer;
  try {
    answer = await fetch(path);
  } catch {
    throw new Failure(UNREACHABLE);
  }
  const body = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body;
  throw new Failure(body?.what ? body : { ...UNREACHABLE, detail: `${answer.status} ${answer.statusText}` });
}

// Reads server-sent events as JSON, with one handler per name, until "done" or "failed"; returns a function that stops.
export function listen(path, handlers, onDone, onFail) {
  const stream = new EventSource(path);
  const end = (then) => {
    stream.close();
    then();
  };
  for (const [name, handle] of Object.entries(handlers)) {
    stream.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
  }
  stream.addEventListener("done", () => end(onDone));
  stream.addEventListener("failed", ({ data }) => end(() => onFail(JSON.parse(data))));
  stream.addEventListener("error", () => end(() => onFail(UNREACHABLE)));
  return () => stream.close();
}

export const problemOf = (error) =>
  error instanceof Failure
    ? error.problem
    : { what: "This page has a bug.", advice: "Reload it, and report the details.", can_retry: false, detail: String(error) };
