// The fields that mappings/lead.yaml makes of the samples, in Segment's own mapping language: one thread, lines
// parsed, transformed and written. It does less than lead.yaml: no lengths, no e-mail check, no other spellings.

const { readFileSync, writeFileSync } = require("node:fs");
const { transform } = require("@segment/actions-core");

const path = (text) => ({ "@path": `$.traits.${text}` });
const first = (one, other) => ({ "@if": { exists: path(one), then: path(one), else: path(other) } });
const mapping = {
  Email: first("email", "userId"),
  FirstName: first("firstName", "name"),
  LastName: first("lastName", "name"),
  Company: first("company.name", "company"),
  Title: first("title", "position"),
  Phone: path("phone"),
  Website: path("website"),
  Rating: path("rating"),
  NumberOfEmployees: first("employees", "employeeCount"),
  Street: first("address.street", "street"),
  City: first("address.city", "city"),
  State: first("address.state", "state"),
  PostalCode: first("address.postalCode", "postalCode"),
  Country: first("address.country", "country"),
  createdAt__c: path("createdAt"),
  plan__c: path("plan"),
  logins__c: path("logins"),
  isAdmin__c: path("isAdmin"),
  favouriteColour__c: path("favouriteColour"),
};

const [events] = process.argv.slice(2);
const written = [];
for (const line of readFileSync(events, "utf-8").split("\n")) {
  if (line) written.push(JSON.stringify(transform(mapping, JSON.parse(line))));
}
writeFileSync(process.stdout.fd, written.join("\n") + "\n");
