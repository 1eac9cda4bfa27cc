// npm soap, unmodified, on the WSDL that the local org serves.
import assert from "node:assert/strict";
import soap from "soap";

const { ORG_URL, ORG_USER, ORG_PASSWORD } = process.env;

const client = await soap.createClientAsync(`${ORG_URL}/services/Soap/u/64.0?wsdl`);
const [{ result: login }] = await client.loginAsync({ username: ORG_USER, password: ORG_PASSWORD });
assert.equal(login.passwordExpired, false);
client.setEndpoint(login.serverUrl);
client.addSoapHeader({ SessionHeader: { sessionId: login.sessionId } }, "", "tns", "urn:partner.soap.sforce.com");

const [created] = await client.createAsync({
  sObjects: [{ type: "Lead", LastName: "Lee", Company: "Initech", Key__c: "n1" }, { type: "Lead", Company: "x" }],
});
assert.deepEqual(created.result.map((one) => one.success), [true, false]);
assert.equal(created.result[1].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
const [queried] = await client.queryAsync({ queryString: "SELECT Id, LastName FROM Lead WHERE Key__c = 'n1'" });
assert.equal(queried.result.size, 1);
assert.equal(queried.result.records[0].LastName, "Lee");
const [described] = await client.describeSObjectAsync({ sObjectType: "Lead" });
assert.ok(described.result.fields.some((field) => field.name === "Key__c" && field.externalId));
const [deleted] = await client.deleteAsync({ ids: [created.result[0].id] });
assert.equal(deleted.result[0].success, true);
await assert.rejects(client.queryAsync({ queryString: "SELECT FROM Lead" }), /MALFORMED_QUERY/);
