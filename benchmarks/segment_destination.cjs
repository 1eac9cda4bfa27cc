// Segment's own Salesforce destination, delivering identify calls one by one, four at once: its `lead` action looks
// each person up by e-mail address, then creates or updates. Its request client, mapping and retries are its own.

const { readFileSync } = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const { Destination } = require("@segment/actions-core");
const salesforce = require("@segment/action-destinations/dist/destinations/salesforce").default;

const AT_ONCE = 4;
const [events, org, clientId, clientSecret] = process.argv.slice(2);
const { hostname, port } = new URL(org);

// The destination takes no other host names than Salesforce's, by HTTPS. Here their connections lead to the local
// org in plain text, so that no TLS is measured. Its request client uses a connection for one request.
class ToTheOrg extends http.Agent {
  protocol = "https:";
  createConnection(_, done) {
    return net.connect({ host: hostname, port, noDelay: true }, done);
  }
}
const agent = new ToTheOrg();
const toTheOrg = Object.assign(() => agent, { destroy() {} }); // which it does to the agent after each request
const destination = new Destination({
  ...salesforce,
  extendRequest(data) {
    const { headers } = salesforce.extendRequest(data);
    return { headers: { ...headers, host: `${hostname}:${port}` }, agent: toTheOrg };
  },
});

const path = (text) => ({ "@path": `$.traits.${text}` });
const mapping = {
  operation: "upsert",
  recordMatcherOperator: "OR",
  enable_batching: false,
  traits: { Email: path("email") },
  email: path("email"),
  first_name: path("firstName"),
  last_name: path("lastName"),
  company: path("company.name"),
  street: path("address.street"),
  city: path("address.city"),
  state: path("address.state"),
  postal_code: path("address.postalCode"),
  country: path("address.country"),
  customFields: {
    Title: path("title"),
    Phone: path("phone"),
    Website: path("website"),
    Rating: path("rating"),
    NumberOfEmployees: path("employees"),
  },
};

async function accessToken() {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    client_secret: clientSecret,
  });
  const answer = await fetch(`${org}/services/oauth2/token`, { method: "POST", body });
  return (await answer.json()).access_token;
}

async function main() {
  const settings = {
    instanceUrl: "https://local.my.salesforce.com/",
    oauth: { access_token: await accessToken() },
    subscriptions: [{ subscribe: 'type = "identify"', partnerAction: "lead", mapping }],
  };
  const lines = readFileSync(events, "utf-8").split("\n").filter(Boolean)[Symbol.iterator]();
  const worker = async () => {
    for (const line of lines) await destination.onEvent(JSON.parse(line), settings);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

main().catch((error) => {
  console.error(error, error.response?.data);
  process.exit(1);
});
