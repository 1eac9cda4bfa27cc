// jsforce, unmodified, takes the local org for Salesforce. The argument says what is tried.
import assert from "node:assert/strict";
import jsforce from "jsforce";

const { ORG_URL, ORG_USER, ORG_PASSWORD } = process.env;

const connection = new jsforce.Connection({ loginUrl: ORG_URL, version: "64.0" });
const user = await connection.login(ORG_USER, ORG_PASSWORD);
assert.match(user.id, /^005/);
const leads = connection.sobject("Lead");
const accounts = connection.sobject("Account");
const lead = (key, rest = {}) => ({ LastName: "Lee", Company: "Initech", Key__c: key, ...rest });
const succeeded = (results) => results.map((one) => one.success);

const tried = {
  async "single records"() {
    const made = await leads.create(lead("s1"));
    assert.equal(made.success, true);
    const found = await connection.query("SELECT Id, LastName, Key__c FROM Lead WHERE Key__c = 's1'");
    assert.deepEqual(found.records.map((record) => record.LastName), ["Lee"]);
    assert.equal((await leads.update({ Id: made.id, Title: "Clerk" })).success, true);
    assert.equal((await leads.upsert({ Key__c: "s1", FirstName: "Ann" }, "Key__c")).success, true);
    assert.equal((await leads.retrieve(made.id)).Name, "Ann Lee");
    await assert.rejects(leads.create({ Company: "Initech" }), { name: "REQUIRED_FIELD_MISSING" });
    await assert.rejects(connection.query("SELECT FROM Lead"), { name: "MALFORMED_QUERY" });
    assert.equal((await leads.destroy(made.id)).success, true);
    await assert.rejects(leads.retrieve(made.id));
  },

  async "several records at once"() {
    const made = await leads.create([lead("m1"), { Company: "Initech" }, lead("m2")]);
    assert.deepEqual(succeeded(made), [true, false, true]);
    assert.equal(made[1].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
    const ids = [made[0].id, made[2].id];
    assert.deepEqual(succeeded(await leads.update(ids.map((Id) => ({ Id, Title: "Clerk" })))), [true, true]);
    assert.deepEqual((await leads.retrieve(ids)).map((record) => record.Title), ["Clerk", "Clerk"]);
    const rolledBack = await leads.create([lead("m3"), { Company: "x" }], { allOrNone: true });
    assert.deepEqual(succeeded(rolledBack), [false, false]);
    assert.equal(await leads.count({ Key__c: "m3" }), 0);
    const many = Array.from({ length: 450 }, (_, place) => ({ Name: `Many ${place}` }));
    assert.ok((await accounts.create(many, { allowRecursive: true })).every((one) => one.success));
    assert.equal(await accounts.count({ Name: { $like: "Many %" } }), 450);
    assert.deepEqual(succeeded(await leads.destroy(ids)), [true, true]);
    assert.deepEqual(await leads.retrieve(ids), [null, null]);
  },

  async "upserts of several records"() {
    const records = [lead("u1"), lead("u2")];
    assert.deepEqual((await leads.upsert(records, "Key__c")).map((one) => one.created), [true, true]);
    records.push(lead("u3"), { Key__c: "u4", Company: "no last name" });
    const again = await leads.upsert(records, "Key__c");
    assert.deepEqual(again.map((one) => one.created), [false, false, true, true]);
    assert.deepEqual(succeeded(again), [true, true, true, false]);
    const contact = { LastName: "Lee", Account: { Name: "not a key" } };
    await assert.rejects(connection.sobject("Contact").create(contact), { name: "INVALID_FIELD" });
  },

  async "queries with child records"() {
    const account = await accounts.create({ Name: "Parents" });
    await connection.sobject("Contact").create([
      { FirstName: "Ann", LastName: "Lee", AccountId: account.id },
      { FirstName: "Bo", LastName: "Ray", AccountId: account.id },
    ]);
    const [parent] = await accounts
      .find({ Id: account.id }, "Id, Name")
      .include("Contacts", null, "Id, LastName", { sort: { LastName: 1 } })
      .end()
      .include("Opportunities", null, "Id")
      .end();
    assert.deepEqual(parent.Contacts.records.map((one) => one.LastName), ["Lee", "Ray"]);
    assert.equal(parent.Opportunities, null);
    const byContact = "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Ray')";
    assert.deepEqual((await connection.query(byContact)).records.map((one) => one.Name), ["Parents"]);
    const grouped = "SELECT LastName, COUNT(Id) n FROM Contact GROUP BY LastName HAVING COUNT(Id) > 0";
    assert.ok((await connection.query(grouped)).records.length >= 2);
  },

  async describes() {
    const described = await leads.describe();
    assert.ok(described.fields.some((field) => field.name === "Key__c" && field.externalId));
    const { childRelationships } = await accounts.describe();
    assert.ok(childRelationships.some((one) => one.relationshipName === "Contacts" && one.childSObject === "Contact"));
    assert.ok((await connection.describeGlobal()).sobjects.some((object) => object.name === "Account"));
  },

  async "identity and limits"() {
    const identity = await connection.identity();
    assert.equal(identity.user_id, user.id);
    assert.equal(identity.username, ORG_USER);
    assert.ok(connection.limitInfo.apiUsage.used > 0);
    const limits = await connection.limits();
    assert.ok(limits.DailyApiRequests.Remaining <= limits.DailyApiRequests.Max);
  },

  async search() {
    await accounts.create([{ Name: "Zanzibar Ferries" }, { Name: "Zanzibar Hotels" }]);
    const { searchRecords } = await connection.search("FIND {Zanzibar} IN NAME FIELDS RETURNING Account(Id, Name)");
    assert.deepEqual(searchRecords.map((one) => one.Name).sort(), ["Zanzibar Ferries", "Zanzibar Hotels"]);
    assert.equal(searchRecords[0].attributes.type, "Account");
  },

  async "deleted and updated records"() {
    const [kept, gone] = await accounts.create([{ Name: "Kept" }, { Name: "Gone" }]);
    await accounts.destroy(gone.id);
    const [start, end] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
    assert.ok((await accounts.updated(start, end)).ids.includes(kept.id));
    assert.ok((await accounts.deleted(start, end)).deletedRecords.some((one) => one.id === gone.id));
    const all = await connection.query("SELECT Id FROM Account WHERE IsDeleted = true").run({ scanAll: true });
    assert.ok(all.records.some((one) => one.Id === gone.id));
  },

  async "query plans"() {
    const { plans } = await connection.query("SELECT Id FROM Account WHERE Name = 'x'").explain();
    assert.equal(plans[0].sobjectType, "Account");
  },

  async "SOAP calls"() {
    const soap = await connection.soap.create([{ type: "Account", Name: "Initech & Co <ä>" }, { type: "Account" }]);
    assert.deepEqual(succeeded(soap), [true, false]);
    const info = await connection.soap.getUserInfo();
    assert.match(info.organizationId, /^00D/);
    assert.ok((await connection.soap.getServerTimestamp()).timestamp);
    const keyed = await connection.soap.upsert("Key__c", [{ type: "Lead", ...lead("x1") }]);
    assert.equal(keyed[0].created, true);
  },

  async "Bulk API"() {
    const records = [{ Name: "Bulk 1", Phone: "1" }, { Name: "Bulk 2" }, { Phone: "3" }];
    const loaded = await connection.bulk.load("Account", "insert", records);
    assert.deepEqual(succeeded(loaded), [true, true, false]);
    assert.match(loaded[2].errors[0], /^REQUIRED_FIELD_MISSING:/);
    const updates = loaded.slice(0, 2).map(({ id }) => ({ Id: id, BillingCity: "Oslo" }));
    assert.deepEqual(succeeded(await connection.bulk.load("Account", "update", updates)), [true, true]);
    const stream = await connection.bulk.query("SELECT Name FROM Account WHERE Name LIKE 'Bulk %' ORDER BY Name");
    const queried = await stream.toArray();
    assert.deepEqual(queried.map((one) => one.Name), ["Bulk 1", "Bulk 2"]);
  },

  async "Bulk API 2.0"() {
    connection.bulk2.pollInterval = 100;
    const load = (operation, input, rest = {}) =>
      connection.bulk2.loadAndWaitForResults({ object: "Lead", operation, input, ...rest });
    const inserted = await load("insert", [lead("b1"), lead("b2"), { Company: "no last name", Key__c: "b3" }]);
    assert.equal(inserted.successfulResults.length, 2);
    assert.match(inserted.failedResults[0].sf__Error, /^REQUIRED_FIELD_MISSING:.*LastName/);
    assert.equal(inserted.unprocessedRecords.length, 0);
    const upserted = await load("upsert", [lead("b1", { Title: "Clerk" }), lead("b4")], { externalIdFieldName: "Key__c" });
    assert.deepEqual(upserted.successfulResults.map((one) => one.sf__Created).sort(), ["false", "true"]);
    const soql = "SELECT Key__c, Title FROM Lead WHERE Key__c LIKE 'b%' ORDER BY Key__c";
    const queried = await (await connection.bulk2.query(soql)).toArray();
    assert.deepEqual(queried.map((one) => [one.Key__c, one.Title]), [["b1", "Clerk"], ["b2", ""], ["b4", ""]]);
    const ids = (await leads.find({ Key__c: { $like: "b%" } }, "Id")).map(({ Id }) => ({ Id }));
    assert.equal((await load("delete", ids)).successfulResults.length, 3);
  },

  async "renewed sessions"() {
    await accounts.create({ Name: "Renewed" });
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
    await assert.rejects(new jsforce.Connection({ loginUrl: ORG_URL }).login(ORG_USER, "wrong"), /INVALID_LOGIN/);
  },

  async "sign-in by OAuth"() {
    const byOAuth = new jsforce.Connection({
      oauth2: { loginUrl: ORG_URL, clientId: "local-client", clientSecret: "local-client-secret" },
      version: "64.0",
    });
    await byOAuth.authorize({ grant_type: "client_credentials" });
    assert.ok((await byOAuth.query("SELECT COUNT() FROM Account")).totalSize >= 0);
    await byOAuth.logout();
    await assert.rejects(byOAuth.query("SELECT Id FROM Account"));
  },
};

await tried[process.argv[2]]();
