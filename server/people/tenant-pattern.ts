/** A tenant's name: short, and nothing that has to be escaped anywhere. */
export const tenantPattern = '^[a-z0-9-]{1,64}$';
