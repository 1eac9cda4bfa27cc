// jsforce, unmodified, takes the local org for Salesforce.
import assert from "node:assert/strict";
import jsforce from "jsforce";

const { ORG_URL, ORG_USER, ORG_PASSWORD } = process.env;

const connection = new jsforce.Connection({ loginUrl: ORG_URL, version: "64.0" });
const user = await connection.login(ORG_USER, ORG_PASSWORD);
assert.match(user.id, /^005/);

// REST
const made = await connection.sobject("Lead").create({ LastName: "Lee", Company: "Initech", Key__c: "j1" });
assert.equal(made.success, true);
const found = await connection.query("SELECT Id, LastName, Key__c FROM Lead WHERE Key__c = 'j1'");
assert.deepEqual(found.records.map((record) => record.LastName), ["Lee"]);
assert.equal((await connection.sobject("Lead").update({ Id: made.id, Title: "Clerk" })).success, true);
const upserted = await connection.sobject("Lead").upsert({ Key__c: "j1", FirstName: "Ann" }, "Key__c");
assert.equal(upserted.success, true);
assert.equal((await connection.sobject("Lead").retrieve(made.id)).Name, "Ann Lee");
const described = await connection.sobject("Lead").describe();
assert.ok(described.fields.some((field) => field.name === "Key__c" && field.externalId));
assert.ok((await connection.describeGlobal()).sobjects.some((object) => object.name === "Account"));
await assert.rejects(connection.sobject("Lead").create({ Company: "Initech" }), { name: "REQUIRED_FIELD_MISSING" });
await assert.rejects(connection.query("SELECT FROM Lead"), { name: "MALFORMED_QUERY" });
assert.equal((await connection.sobject("Lead").destroy(made.id)).success, true);

// SOAP
const soap = await connection.soap.create([{ type: "Account", Name: "Initech & Co <ä>" }, { type: "Account" }]);
assert.equal(soap[0].success, true);
assert.equal(soap[1].success, false);
const info = await connection.soap.getUserInfo();
assert.match(info.organizationId, /^00D/);
assert.ok((await connection.soap.getServerTimestamp()).timestamp);
const keyed = await connection.soap.upsert("Key__c", [{ type: "Lead", LastName: "Ray", Company: "x", Key__c: "j2" }]);
assert.equal(keyed[0].created, true);

// A session that has ended is signed in again.
let refreshed = 0;
const again = new jsforce.Connection({
  loginUrl: ORG_URL,
  version: "64.0",
  instanceUrl: ORG_URL,
  accessToken: "00D000000000000!gone",
  refreshFn: async (expired, done) => {
    refreshed += 1;
    const other = new jsforce.Connection({ loginUrl: ORG_URL, version: "64.0" });
    await other.login(ORG_USER, ORG_PASSWORD);
    done(null, other.accessToken);
  },
});
assert.ok((await again.query("SELECT Id FROM Account")).totalSize > 0);
assert.equal(refreshed, 1);

// OAuth
const byOAuth = new jsforce.Connection({
  oauth2: { loginUrl: ORG_URL, clientId: "local-client", clientSecret: "local-client-secret" },
  version: "64.0",
});
await byOAuth.authorize({ grant_type: "client_credentials" });
assert.ok((await byOAuth.query("SELECT COUNT() FROM Account")).totalSize > 0);
await assert.rejects(new jsforce.Connection({ loginUrl: ORG_URL }).login(ORG_USER, "wrong"), /INVALID_LOGIN/);
