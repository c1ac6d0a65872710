// The OpenAPI document as what the page shows: operations in groups, types in words, examples.

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Loads the document and the replies that a test recorded. */
export async function load() {
  const [document, examples] = await Promise.all([
    fetch("/openapi.json").then((reply) => reply.json()),
    fetch(new URL("examples.json", import.meta.url)).then((reply) => reply.json()),
  ]);
  return { document, groups: groupsOf(document, examples) };
}

function groupsOf(document, examples) {
  const groups = new Map();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((method) => item[method])) {
      const operation = item[method];
      const tag = operation.tags?.[0] ?? "service";
      const name = `${method.toUpperCase()} ${path}`;
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push({ ...operation, method: method.toUpperCase(), path, id: idOf(method, path), example: examples[name] });
    }
  }
  return [...groups].map(([name, operations]) => ({ name, operations })).sort((one, other) => one.name.localeCompare(other.name));
}

/** What stands behind the # of an address: `get-/auth/profile/`. */
export const idOf = (method, path) => `${method.toLowerCase()}-${path}`;

/** The schema that a reference means. */
export function resolved(document, schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? document.components.schemas[name] : schema;
}

/** A schema's type in a few words: `string (email), may be null`. */
export function typeOf(document, schema, t) {
  const ref = schema?.$ref?.split("/").pop();
  if (ref) return ref.split(".").pop();
  const either = schema?.oneOf ?? schema?.anyOf;
  if (either) {
    const names = either.filter((one) => one.type !== "null").map((one) => typeOf(document, one, t)).join(" / ");
    return either.some((one) => one.type === "null") ? t("{type}, may be null", { type: names }) : names;
  }
  const types = [schema?.type ?? "any"].flat();
  const main = types.filter((type) => type !== "null").join(" / ");
  const shown = main === "array" ? t("list of {type}", { type: typeOf(document, schema.items, t) }) : main;
  const whole = schema?.format && schema.format !== "int64" ? `${shown} (${schema.format})` : shown;
  return types.includes("null") ? t("{type}, may be null", { type: whole }) : whole;
}

/** A body to begin with: as a test sent it, else as the schema has it. */
export function bodyOf(document, operation) {
  if (operation.example?.request) return operation.example.request;
  const content = Object.values(operation.requestBody?.content ?? {})[0];
  const schema = resolved(document, content?.schema);
  const required = schema?.required ?? [];
  return Object.fromEntries(required.map((name) => [name, sample(document, schema.properties[name])]));
}

function sample(document, schema) {
  const whole = resolved(document, schema) ?? {};
  const type = [whole.type].flat()[0];
  if (whole.example !== undefined) return whole.example;
  if (type === "boolean") return false;
  if (type === "integer") return 1;
  if (type === "array") return [];
  if (whole.format === "email") return "ada@example.com";
  return "";
}
