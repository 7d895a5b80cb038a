export * from "./index.js";
declare const flowcrm: typeof import("./index.js");
export default flowcrm;
