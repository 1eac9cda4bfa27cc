import { Analytics } from "@segment/analytics-node";
import { group, identify, integrations } from "./calls.js";

const analytics = new Analytics({ writeKey: process.env.WRITE_KEY, host: process.env.HOST });
analytics.identify({ userId: identify[0], traits: identify[1], integrations });
analytics.group({ userId: identify[0], groupId: group[0], traits: group[1], integrations });
await analytics.closeAndFlush();
