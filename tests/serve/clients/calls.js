// The calls of Segment's own documentation of its Salesforce destination.
export const identify = [
  "peter",
  {
    name: "Peter Gibbons", title: "VP of Derp", email: "peter.gibbons@initech.com", company: "Initech",
    phone: "570-690-4150", rating: "Hot", city: "east greenwich", postalCode: "94115", country: "USA",
    street: "19123 forest lane", state: "RI",
  },
];
export const group = [
  "813",
  {
    name: "Teemo Industries",
    address: { city: "East Greenwich", state: "RI", country: "US", postalCode: "02818", street: "9000 Forest Lane" },
    phone: "222-333-4444", description: "Makes great husky products", employees: 4,
    website: "https://teemothewolf.com",
  },
];
export const integrations = { Salesforce: true };
