export const shop: { readonly kind: string } = { kind: 'a shop' }
